"""The finding is evidence."""

from __future__ import annotations

from scc_responder.domain.context import Context
from scc_responder.domain.finding import Threat
from scc_responder.execute.evidence import EvidenceItem
from scc_responder.execute.evidence.sources.finding import finding
from tests.kits import journal_worlds
from tests.kits.captures import given


def test_the_finding_is_kept_as_read() -> None:
    """Titled by its name in Security Command Center."""
    found = journal_worlds.finding()
    subject = given(Context(finding=found, threat=Threat(name="t", surface="pod", kind="ioc", confidence="likely")))
    assert finding.read(subject) == (EvidenceItem(kind="finding", title=found.name, content=found),)
