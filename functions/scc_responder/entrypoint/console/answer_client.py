"""Send a person's answer to the function: one request, no redirects, and no token in the clear but to this machine."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from scc_responder.domain.errors import ResponderError, SettingsError
from scc_responder.domain.finding import CASE_ID_DIGITS
from scc_responder.domain.resource_names import ASSERTION_HEADER, is_this_machine
from scc_responder.domain.value import Value, read_json

MAX_READ_BYTES = 1024 * 1024
"""What an undo says has a line for each step of each case of a pod."""
ANSWER_SECONDS = 600.0
"""An approved plan is carried out within the request, which ends with the function's own time at the latest."""


class FunctionAnswer(Value, frozen=True, kw_only=True):
    """The function's answer: its HTTP status and body."""

    status: int
    body: bytes = b""

    def says(self, verb: str, case: str, plan: str) -> bool:
        """Whether it says that this was done with this case and plan, each given by its first digits or more."""
        return self.status == 200 and self._names(verb, case, plan)

    def says_begun(self, verb: str, case: str, plan: str) -> bool:
        """Whether it says that this was taken and begun, and is not finished."""
        return self.status == 503 and self._names(verb, case, plan)

    @property
    def is_untold(self) -> bool:
        """Whether it does not say whether the answer was taken: a success without words, or an error on the way.

        Where the function itself asks to be asked again, its answer is empty, or has a reason.
        """
        asks_again = self.status == 503 and (not self.body or self.reason)
        return self.status in {200, 204} or (self.status >= 500 and not asks_again)

    @property
    def reason(self) -> str:
        """What came of it, in the function's word; empty where it says nothing that can be read."""
        return self._said().get("reason", "")

    @property
    def lines(self) -> tuple[str, ...]:
        """What it says more, for a person."""
        return tuple(self._said().get("lines", "").splitlines())

    def _said(self) -> dict[str, str]:
        try:
            return read_json(self.body, dict[str, str])
        except msgspec.DecodeError:
            return {}

    def _names(self, verb: str, case: str, plan: str) -> bool:
        said = self._said()
        same_case = len(said.get("case", "")) >= CASE_ID_DIGITS and case.startswith(said["case"])
        return said.get("answer") == verb and same_case and said.get("plan", "").startswith(plan)


def send(url: str, verb: str, body: Mapping[str, str], token: str, assertion: str = "") -> FunctionAnswer:
    """The answer. `assertion` says for whom the token's bearer asks.

    Raises SettingsError for an unusable address, ResponderError where nothing answers.
    """
    host, port = _address(url)
    parts = urlsplit(url)
    if parts.scheme == "http" and not (host == "localhost" or is_this_machine(host)):
        raise SettingsError("plaintext_url", f"--url {url}: only this machine is asked without TLS; give https://")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(host, port, timeout=ANSWER_SECONDS)
    headers = {"Content-Type": "application/json"}
    if token:
        # Cloud Run takes its own from the second and leaves the first to the function.
        headers |= {"Authorization": f"Bearer {token}", "X-Serverless-Authorization": f"Bearer {token}"}
    if assertion:
        headers[ASSERTION_HEADER] = assertion
    try:
        connection.request("POST", f"{parts.path.rstrip('/')}/{verb}", json.dumps(body).encode(), headers)
        with connection.getresponse() as answer:
            return FunctionAnswer(status=answer.status, body=answer.read(MAX_READ_BYTES))
    except (OSError, ValueError, http.client.HTTPException) as error:
        # Never what the error quotes: it may be a header, and with it the token.
        kind_of_error = type(error).__name__
        raise ResponderError("no_answer", f"{url} did not answer ({kind_of_error}); is the function there?") from None
    finally:
        connection.close()


def _address(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingsError("invalid_url", f"--url {url}: {error}") from error
    if parts.scheme not in {"http", "https"} or not host or parts.username:
        raise SettingsError("invalid_url", f"--url {url}: give an address such as https://my-function.run.app")
    return host, port
