"""The finding is evidence."""

from __future__ import annotations

import json
from hashlib import sha256

from scc_responder.domain.context import Context
from scc_responder.domain.finding import Threat
from scc_responder.execute.evidence import EvidenceItem
from scc_responder.execute.evidence.sources.finding import finding
from tests.kits import journal_worlds
from tests.kits.captures import evidence, given


def test_the_finding_is_kept_as_read() -> None:
    """Titled by its name in Security Command Center."""
    found = journal_worlds.finding()
    subject = given(Context(finding=found, threat=Threat(name="t", surface="pod", kind="ioc", confidence="likely")))
    assert finding.read(subject) == (EvidenceItem(kind="finding", title=found.name, content=found),)


CANARY = "canary-8d1e"
THREAT = Threat(name="t", surface="pod", kind="ioc", confidence="likely")
NOTIFIED = json.dumps({"finding": {"processes": [{"args": ["app", f"--token={CANARY}"]}], "unknown": "field"}}).encode()


def test_both_texts_are_kept_beside_the_parse_without_their_secrets() -> None:
    """What the parser leaves out may matter later; the hash is of the text as it came."""
    texts = {"notified": NOTIFIED, "read": {"finding": {"sourceProperties": {"password": CANARY}}}}
    (kept,) = evidence(Context(finding=journal_worlds.finding(), threat=THREAT, texts=texts))
    assert CANARY not in kept.content.decode()
    stored = json.loads(kept.content)
    assert stored["name"] == journal_worlds.finding().name
    notified, read = stored["texts"]["notified"], stored["texts"]["read"]
    assert (notified["sha256"], notified["size"]) == (sha256(NOTIFIED).hexdigest(), len(NOTIFIED))
    assert notified["text"]["finding"]["unknown"] == "field"
    assert read["text"]["finding"]["sourceProperties"] == {"password": "redacted"}
    assert [each.path for each in kept.redacted] == [
        "$.texts.notified.text.finding.processes[0].args[1]",
        "$.texts.read.text.finding.sourceProperties.password",
    ]


def test_a_text_that_is_no_json_is_kept_as_text() -> None:
    """A finding that cannot be parsed is read again by its name."""
    (kept,) = evidence(Context(finding=journal_worlds.finding(), threat=THREAT, texts={"notified": b"{password: x9"}))
    assert json.loads(kept.content)["texts"]["notified"]["text"] == "{password: redacted"
