"""Whoever runs doctor learns why evidence is not signed, and what mends it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence.dsse import in_toto_statement
from scc_responder.execute.evidence.sealing import note_unsigned, unsealed
from scc_responder.workbench.doctor.check import CheckResult
from scc_responder.workbench.doctor.signing_checks import examine_signing, examine_unsigned, signing_not_set
from tests.docs.command_lines import fix_mistakes
from tests.kits.google.key_management import VERSION

KEY = f"gcpkms://{VERSION}"
DENIED = ApiError(Reason.KMS.of("permission_denied"), "x", status=403, permission="cloudkms.x")
AWAY = ApiError(Reason.KMS.of("unavailable"), "x", status=503)
ABSENT = ApiError(Reason.KMS.of("not_found"), "x", status=404)
DISABLED = ApiError(Reason.KMS.of("failed_precondition"), "current state is: DISABLED", status=400)


class Access:
    """`SigningKeyAccess` that answers, or raises what it is given."""

    def __init__(self, may: object = True, algorithm: object = "EC_SIGN_P256_SHA256") -> None:
        self.may = may
        self.said = algorithm

    def may_sign(self) -> bool:
        return bool(_told(self.may))

    def algorithm(self) -> str:
        return str(_told(self.said))


def _told(answer: object) -> object:
    if isinstance(answer, Exception):
        raise answer
    return answer


CASES = {
    "good": (Access(), CheckResult.OK, "", ""),
    "not-granted": (Access(may=False), CheckResult.FAULT, "permission_missing", "roles/cloudkms.signer"),
    "absent": (Access(may=ABSENT), CheckResult.FAULT, "kms_not_found", "ec-sign-p256-sha256"),
    "away": (Access(may=AWAY), CheckResult.FAULT, "kms_unavailable", "curl"),
    "another-algorithm": (
        Access(algorithm="RSA_SIGN_PSS_2048_SHA256"),
        CheckResult.FAULT,
        "signing_key_unfit",
        "ec-sign-p256-sha256",
    ),
    "disabled": (Access(algorithm=DISABLED), CheckResult.FAULT, "kms_failed_precondition", "versions enable 1"),
    "not-seen": (Access(algorithm=DENIED), CheckResult.UNKNOWN, "permission_missing", "cloudkms.x"),
}


@pytest.mark.parametrize(("access", "result", "reason", "fix"), CASES.values(), ids=CASES)
def test_a_key_has_its_own_fault(access: Access, result: CheckResult, reason: str, fix: str) -> None:
    """Each with a command that can be copied."""
    (check,) = examine_signing(access, KEY)
    assert (check.name, check.result, check.reason) == ("evidence.signing", result, reason)
    assert fix in check.fix
    assert list(fix_mistakes(check.fix)) == []


def test_a_deployment_without_a_key_is_told() -> None:
    """It may be meant, and is no fault."""
    assert (signing_not_set().result, signing_not_set().reason) == (CheckResult.SKIPPED, "signing_key_not_set")


def test_manifests_without_a_signature_are_counted(tmp_path: Path) -> None:
    """With the first of them, since when and why; where there is none, nothing is said."""
    store = SqliteStore(tmp_path / "journal.db")
    assert list(examine_unsigned(store)) == []
    statement = in_toto_statement({}, {})
    sealed = unsealed("0a0a0a0a0a0a", statement, "kms_unavailable: not now")
    note_unsigned(store, "0a0a0a0a0a0a", statement, sealed, datetime(2026, 3, 1, tzinfo=UTC))
    (check,) = examine_unsigned(store)
    assert (check.name, check.reason, check.probed) == ("evidence.unsigned", "captured_unsigned", "1 manifests")
    assert "since 2026-03-01 00:00 UTC: kms_unavailable: not now" in check.why
    store.create("unsigned/a", b"{", unfinished=True)
    assert [check.probed for check in examine_unsigned(store)] == ["2 manifests"]
