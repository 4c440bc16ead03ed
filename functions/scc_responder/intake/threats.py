"""Which threat a finding means, by one reviewed data file: `threats.json`, one row for each detector and category.

A threat's name is its rule id in lower case; Virtual Machine Threat Detection, whose detections share rule ids, is
named after its categories instead (`vm_rootkit`). Container and Cloud Run Threat Detection share 34 categories; since
rule ids of the latter start with `CLOUD_RUN_`, `reverse_shell` never means `cloud_run_reverse_shell`: a policy that is
to match both names both. Where no rule id of a threat to AI agents is published, its name is `agent_engine_` and that
of the same category in GKE.

Confidence starts as the row says: `confirmed` where threat intelligence knows the artefact, `possible` for hygiene (a
behavioral detection that Google rates low, or not at all), `likely` for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path

from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.finding import Confidence, Finding, Surface, Threat, ThreatKind
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FindingName
from scc_responder.domain.value import StrictValue, Value, read_json

UNKNOWN = "unknown"
"""The name of a threat that no row describes. No policy may enforce upon it."""

DETECTORS = (
    "container_threat_detection",
    "cloud_run_threat_detection",
    "event_threat_detection",
    "virtual_machine_threat_detection",
    "agent_platform_threat_detection",
)
SURFACES = tuple(surface for surface in Surface if surface != Surface.UNKNOWN)
THREAT_KINDS = tuple(ThreatKind)
CONFIDENCES = tuple(Confidence)
RELATED_WITHIN = timedelta(hours=1)
"""How far apart the event times of two related findings may be, before or after."""

_FOLDER = Path(__file__).parent


class Row(StrictValue, frozen=True, kw_only=True):
    """One category of one detector.

    `techniques` are stated by Google, `techniques_inferred` are not. `severity` is empty where Google states none.
    `fields` says where such a finding keeps what matters, `default` whether the detector is on unless asked, `stage`
    that it is not generally available.
    """

    name: str
    category: str
    detector: str
    surface: str
    kind: str
    confidence: str
    meaning: str
    fields: str
    runbook: str
    rule_id: str = ""
    aliases: tuple[str, ...] = ()
    severity: str = ""
    tactic: str = ""
    tactic_inferred: bool = False
    techniques: tuple[str, ...] = ()
    techniques_inferred: tuple[str, ...] = ()
    default: str = ""
    stage: str = ""


class _Index(Value, frozen=True, kw_only=True):
    by_category: dict[str, tuple[Row, ...]]
    by_event_rule: dict[str, Row]


@cache
def catalogue() -> tuple[Row, ...]:
    """Every row, read once, when first asked for. They were checked when the zip was made (`read_catalogue`)."""
    return read_json((_FOLDER / "threats.json").read_bytes(), tuple[Row, ...])


def fold(category: str) -> str:
    """A category as it is compared: spellings differ in case and in runs of white space."""
    return " ".join(category.casefold().split())


def title(detector: str) -> str:
    """A detector as its display name: `Container Threat Detection`."""
    return detector.replace("_", " ").title()


def mitre_id(name: str) -> str:
    """The MITRE id of an enum name (`ESCAPE_TO_HOST`); a name that is newer than the table stays as it is."""
    return _mitre_ids().get(name, name)


@cache
def _mitre_ids() -> dict[str, str]:
    return read_json((_FOLDER / "mitre.json").read_bytes(), dict[str, str])


@cache
def _index() -> _Index:
    return _index_of(catalogue())


def _index_of(rows: Sequence[Row]) -> _Index:
    by_category: dict[str, tuple[Row, ...]] = {}
    for row in rows:
        for spelling in {fold(text) for text in (row.category, *row.aliases)}:
            by_category[spelling] = (*by_category.get(spelling, ()), row)
    by_event_rule = {row.rule_id: row for row in rows if row.detector == "event_threat_detection"}
    return _Index(by_category=by_category, by_event_rule=by_event_rule)


def in_scope(finding: Finding) -> Reason | None:
    """Why a finding is not to be acted on (`not_a_threat`, `inactive`, `muted`), or None if it is.

    An old v1 finding has no class: it is a threat if one of the threat detectors sent it.
    """
    if finding.finding_class != "THREAT" and (finding.finding_class or finding.detector not in DETECTORS):
        return Reason.NOT_A_THREAT
    if finding.state != "ACTIVE":
        return Reason.INACTIVE
    return Reason.MUTED if finding.mute == "MUTED" else None


def classify(finding: Finding, related: Sequence[RelatedFinding] = (), rows: Sequence[Row] | None = None) -> Threat:
    """The threat, by detector and resource first and category second. What the finding itself says wins over its row.

    `related` are the related findings (see `related_findings`): each that is another threat of the catalogue raises
    the confidence. `rows` are the catalogue's unless others are given.
    """
    index = _index() if rows is None else _index_of(rows)
    row = _row(finding, index)
    if row is None:
        return _unknown(finding)
    confidence, raised_by = _raised(row, finding, related, index)
    stated = tuple(map(mitre_id, finding.mitre_techniques))
    return Threat(
        name=row.name,
        surface=Surface(row.surface),
        kind=ThreatKind(row.kind),
        confidence=confidence,
        runbook=row.runbook,
        detector=row.detector,
        severity=finding.severity or row.severity,
        rule_id=row.rule_id,
        tactic=mitre_id(finding.mitre_tactic) or row.tactic,
        techniques=stated or row.techniques,
        techniques_inferred=() if stated else row.techniques_inferred,
        raised_by=raised_by,
    )


def _row(finding: Finding, index: _Index) -> Row | None:
    """The only row that fits; none where two detectors could have meant it."""
    rows = index.by_category.get(fold(finding.category), ())
    by_rule = index.by_event_rule.get(finding.rule)
    fitting = [row for row in rows or ((by_rule,) if by_rule else ()) if _fits(row, finding)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(row: Row, finding: Finding) -> bool:
    """Whether detector and resource allow the row. A resource of another kind (a project, an instance) says nothing."""
    if finding.detector and row.detector != finding.detector:
        return False
    named = {Surface.CLUSTER: finding.cluster, Surface.CLOUD_RUN: finding.cloud_run, Surface.AGENT: finding.agent}
    return not any(target for surface, target in named.items() if surface != runs_on(row.surface))


def runs_on(surface: str) -> Surface:
    """Where what a surface is about is: in a cluster, on Cloud Run, or on Agent Platform."""
    return Surface(surface) if surface in {Surface.CLOUD_RUN, Surface.AGENT} else Surface.CLUSTER


def _unknown(finding: Finding) -> Threat:
    surfaces = {
        Surface.CLOUD_RUN: finding.cloud_run,
        Surface.AGENT: finding.agent,
        Surface.POD: finding.pods,
        Surface.NODE: finding.node,
        Surface.CLUSTER: finding.cluster,
    }
    return Threat(
        name=UNKNOWN,
        surface=next((surface for surface, named in surfaces.items() if named), Surface.UNKNOWN),
        kind=ThreatKind.BEHAVIORAL,
        confidence=Confidence.POSSIBLE,
        detector=finding.detector,
        severity=finding.severity,
        tactic=mitre_id(finding.mitre_tactic),
        techniques=tuple(map(mitre_id, finding.mitre_techniques)),
    )


def _raised(
    row: Row, finding: Finding, related: Sequence[RelatedFinding], index: _Index
) -> tuple[Confidence, tuple[str, ...]]:
    """The confidence that the related findings raise the row's to, and the names of those that raise it.

    Another threat beside a `possible` one makes it `likely`, as the runbooks ask. Only a `confirmed` one makes it
    `confirmed`.
    """
    rank = CONFIDENCES.index(row.confidence)
    ranks = {other.name: _rank_beside(other, row, finding, index) for other in related}
    higher = {name: beside for name, beside in ranks.items() if beside > rank}
    if not higher:
        return Confidence(row.confidence), ()
    return CONFIDENCES[max(higher.values())], tuple(sorted(higher))


def _rank_beside(other: RelatedFinding, row: Row, finding: Finding, index: _Index) -> int:
    """The rank of confidence that a related finding raises this one to; 0 where it raises nothing.

    Lists that people write (context files, tests of policies) pass no other check: they may name the finding itself, or
    one of this morning.
    """
    parsed = FindingName.parse(other.name)
    itself = parsed is not None and parsed.key == finding.key
    if itself or abs(other.event_time - finding.event_time) > RELATED_WITHIN:
        return 0
    rows = index.by_category.get(fold(other.category), ())
    threats = [one for one in rows if runs_on(one.surface) == runs_on(row.surface)]
    ranks = [CONFIDENCES.index(one.confidence) for one in threats if one.name != row.name]
    return max(CONFIDENCES.index(Confidence.LIKELY), *ranks) if ranks else 0
