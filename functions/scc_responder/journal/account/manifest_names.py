"""The manifests that a case's record names: where an answer is not in the record, it is in what they list. Pure."""

from __future__ import annotations

from scc_responder.domain.changes import observes_only
from scc_responder.domain.finding import case_id
from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import Value
from scc_responder.journal.case import CaseRecord

_STORED = LatePattern(r"(?P<name>cases/\S{1,180}/manifest-[0-9a-f]{16}[.]json) sha256 (?P<sha256>[0-9a-f]{64})")


class ManifestName(Value, frozen=True, kw_only=True):
    """A stored manifest by its name, with the SHA-256 of its content in hex."""

    name: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} sha256 {self.sha256}"


def manifests_named(text: str) -> tuple[ManifestName, ...]:
    """The manifests that a step's detail names."""
    return tuple(ManifestName(**match.groupdict()) for match in _STORED.compiled.finditer(text))


def manifests_of(record: CaseRecord) -> tuple[ManifestName, ...]:
    """The manifests of evidence that the case's record names, the earliest first."""
    before = (detail for closing in record.history for detail in closing.captures)
    details = (*before, *(step.detail for step in record.steps if observes_only(step.change)))
    named = dict.fromkeys(each for detail in details for each in manifests_named(detail))
    return tuple(each for each in named if each.name.startswith(f"cases/{case_id(record.finding_key)}/"))
