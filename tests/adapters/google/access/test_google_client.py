"""A client of a Google API: opened by the first request, once, and anew after it was closed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from scc_responder.adapters.google.access import lean_imports
from scc_responder.adapters.google.access.google_client import GoogleClient
from scc_responder.adapters.google.access.grpc_errors import ApiMethod
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.reasons import Reason

CALL = ApiMethod(api=Reason.KMS, permission="example.keys.get")


class KeyClient(GoogleClient):
    """An adapter whose client answers, or raises, what it is given."""

    lean = lean_imports.KEY_MANAGEMENT
    service = "keys.googleapis.com"
    setting = "SCC_RESPONDER_KMS_ENDPOINT"
    within_seconds = 3.0

    def __init__(self, answer: Any = "answered", **options: Any) -> None:
        super().__init__(**options)
        self.answer = answer
        self.log: list[Any] = []

    def get(self) -> Any:
        return self._asked_once(CALL, "get_key", name="k")

    def _connected(self) -> Any:
        self.log.append("opened")
        transport = SimpleNamespace(close=lambda: self.log.append("closed"))
        return SimpleNamespace(get_key=self._get_key, transport=transport)

    def _get_key(self, **how: Any) -> Any:
        self.log.append(how)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_it_connects_once_on_first_use_and_anew_after_it_was_closed() -> None:
    """Nothing is opened before the first request; what was closed is opened by the next."""
    client = KeyClient()
    client.close()
    assert client.log == []
    assert (client.get(), client.get()) == ("answered", "answered")
    client.close()
    client.get()
    asked = {"name": "k", "timeout": 3.0, "retry": None}
    assert client.log == ["opened", asked, asked, "closed", "opened", asked]


def test_a_given_bound_is_the_bound_of_each_request() -> None:
    """The class has the default alone."""
    client = KeyClient(timeout_seconds=0.5)
    client.get()
    assert client.log[-1]["timeout"] == 0.5


def test_an_error_of_googles_is_told_with_its_permission() -> None:
    """What the client raises becomes an ApiError of the method that was called."""
    problems = pytest.importorskip("google.api_core.exceptions")
    with pytest.raises(ApiError) as error:
        KeyClient(problems.PermissionDenied("no")).get()
    assert (error.value.reason, error.value.permission) == ("kms_permission_denied", "example.keys.get")


def test_a_stand_in_elsewhere_is_refused() -> None:
    """Plain text goes to this machine alone; the error names the variable."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_KMS_ENDPOINT"):
        KeyClient(endpoint="example.com:443")
