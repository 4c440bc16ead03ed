"""The namespace that was read is evidence."""

from __future__ import annotations

from scc_responder.domain.context import Context
from scc_responder.domain.finding import Threat
from scc_responder.execute.evidence import EvidenceItem
from scc_responder.execute.evidence.sources.namespace import namespace
from tests.kits.captures import given
from tests.kits.journal_worlds import finding

OBJECT = {"kind": "Known", "metadata": {"name": "web-1", "namespace": "shop"}}


def test_the_namespace_is_kept_as_read() -> None:
    """Titled by its own name."""
    threat = Threat(name="t", surface="pod", kind="ioc", confidence="likely")
    subject = given(Context(finding=finding(), threat=threat, objects={"namespace": OBJECT}))
    assert namespace.read(subject) == (EvidenceItem(kind="Known", title="shop/web-1", content=OBJECT),)
