"""One check: its result, and the command that comes with it."""

from __future__ import annotations

from scc_responder.domain.errors import ApiError, SettingsError, StoreUnavailable
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.doctor.check import CheckResult, fault, filled, permission_of, unanswered


def test_each_unanswered_probe_says_why() -> None:
    """Why a probe came to nothing: a setting, an API, doctor itself, or the time."""
    told = [SettingsError("s", "x"), ApiError("a", "x"), ValueError("x"), None]
    checks = [unanswered("n", "p", error, 5) for error in told]
    assert [(check.result, check.reason) for check in checks] == [
        (CheckResult.FAULT, "s"),
        (CheckResult.FAULT, "a"),
        (CheckResult.UNKNOWN, "probe_failed"),
        (CheckResult.UNKNOWN, "no_answer_in_time"),
    ]
    assert all(check.fix for check in checks)


def test_the_missing_permission_is_found() -> None:
    """The permission is found where a store's error only says what caused it."""
    error = StoreUnavailable(Reason.STORE_UNAVAILABLE)
    error.__cause__ = ApiError("x", permission="datastore.entities.get")
    assert permission_of(error) == "datastore.entities.get"
    assert permission_of(ValueError()) == ""


def test_placeholders_are_filled_and_quoted() -> None:
    """Words in capitals become what is known, in quotes where a shell would not leave them whole."""
    check = fault("n", "p", "r", "IDENTITY", "do --member=IDENTITY in STORE of PROJECT")
    assert filled(check, {"IDENTITY": "a@b; rm \\1", "STORE": ""}).fix == (
        "do --member='a@b; rm \\1' in STORE of PROJECT"
    )
