"""A case names the manifests of its evidence, and no other case's."""

from __future__ import annotations

from scc_responder.domain.changes import stored
from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.account.manifest_names import ManifestName, manifests_named, manifests_of
from scc_responder.journal.case import CaseRecord, Closing
from scc_responder.journal.step import Step
from tests.kits.journal_worlds import START

CASE = "cases/0a0a0a0a0a0a"
FIRST, SECOND = (ManifestName(name=f"{CASE}/manifest-{digit * 16}.json", sha256=digit * 64) for digit in "12")
OTHER = ManifestName(name=f"cases/bbbbbbbbbbbb/manifest-{'3' * 16}.json", sha256="3" * 64)


def captured(detail: str) -> Step:
    change = stored(CaptureEvidence(namespace="shop", pod_name="web-1", pod_uid="u"))
    return Step(action_id="1", action="capture_evidence", status=StepStatus.DONE, detail=detail, change=change)


def test_earlier_closings_come_first_and_each_once() -> None:
    """A detail that names another case's manifest names none of this one's."""
    record = CaseRecord(
        finding_key="0a" * 32,
        finding_name="f",
        event_time=START,
        digest="d",
        history=(Closing(state=CaseState.HELD, epoch=1, captures=(f"{FIRST}; in part",)),),
        steps=(captured(f"{SECOND}; {OTHER}"), captured(str(FIRST))),
    )
    assert manifests_of(record) == (FIRST, SECOND)


def test_a_name_of_another_form_is_none() -> None:
    """A hash that is too short, or another object, is passed over."""
    assert manifests_named(f"{CASE}/pod-{'0' * 16}.json sha256 {'0' * 64}") == ()
    assert manifests_named(f"{FIRST.name} sha256 {'0' * 63}") == ()
