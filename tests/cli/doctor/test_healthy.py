"""A deployment that is as it should be, as doctor sees it."""

from __future__ import annotations

from scc_responder.workbench.doctor.check import CheckResult
from tests.cli.doctor.patient import Patient, found


def test_all_is_well(patient: Patient) -> None:
    """Everything is probed, and everything is as it should be."""
    checks = patient.examined()
    assert found(checks, CheckResult.FAULT, CheckResult.UNKNOWN, CheckResult.SKIPPED) == {}
    assert len(checks) > 40
    (heartbeat,) = (check for check in checks if check.name == "heartbeat")
    assert heartbeat.why.endswith("; it met the kill switch as enforce: see control")
