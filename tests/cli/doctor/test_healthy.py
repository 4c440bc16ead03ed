"""A deployment that is as it should be, as doctor sees it."""

from __future__ import annotations

from scc_responder.workbench.doctor.check import CheckResult
from tests.cli.doctor.patient import Patient, found

SIGNING = ("evidence.signing", "signing_key_not_set")
"""Evidence is signed only where a key is given."""


def test_all_is_well(patient: Patient) -> None:
    """Everything is probed, and everything is as it should be, but that no key is set."""
    checks = patient.examined()
    assert set(found(checks, CheckResult.FAULT, CheckResult.UNKNOWN, CheckResult.SKIPPED)) == {SIGNING}
    assert len(checks) > 40
    (heartbeat,) = (check for check in checks if check.name == "heartbeat")
    assert heartbeat.why.endswith("; it met the kill switch as enforce: see control")
