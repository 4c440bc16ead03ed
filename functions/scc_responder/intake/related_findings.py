"""Which findings are related: the one rule of production, the local folder and `simulate`. Pure.

A finding is related to another, and can raise its confidence, only if it
- comes from a source that settings list, and is of class THREAT, ACTIVE and not muted;
- happened within an hour of it, before or after;
- is another threat of the catalogue: one start of a program makes several findings of one threat, which prove no more
  than one of them does;
- is about the same target: a pod; or, where a finding names none, a Cloud Run service or job, an AI agent, a node, a
  principal, in that order.

A target is compared with the place that it is in, however that is spelled: `zones/` and `locations/` are the same, and
so are a project's id and its number, where a finding's name says which number its project has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain, islice, zip_longest

from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.finding import CloudRunTarget, ClusterRef, Finding
from scc_responder.domain.resource_names import Instance, region_of
from scc_responder.domain.value import Value
from scc_responder.intake.threats import RELATED_WITHIN, UNKNOWN, classify, in_scope

MAX_RELATED = 100
"""Related findings that are kept. No target has more threats, and further findings of the same ones prove no more."""

_KUBERNETES_USER = "system:"
"""How names of Kubernetes begin, such as `system:serviceaccount:shop:builder`: each cluster has its own."""


class TargetPlace(Value, frozen=True, kw_only=True):
    """Where a target is: a cluster, or the region or zone of what is in none.

    `project` is an id or a number, as the finding spells it; `number` is the project's number where it is known.
    """

    project: str
    number: str = ""
    location: str = ""
    cluster: str = ""

    def is_same(self, other: TargetPlace) -> bool:
        """Whether both are known to be one place."""
        if self.cluster and other.cluster and (self.cluster, self.location) != (other.cluster, other.location):
            return False
        return region_of(self.location) == region_of(other.location) and self._is_same_project(other)

    def _is_same_project(self, other: TargetPlace) -> bool:
        if self.project.isdigit() == other.project.isdigit():
            return self.project == other.project
        return bool(self.number) and self.number == other.number


class FindingTarget(Value, frozen=True, kw_only=True):
    """What a finding is about. `names` holds several for several pods, or for the two names of a principal."""

    kind: str
    names: frozenset[str]
    place: TargetPlace

    @property
    def keys(self) -> frozenset[str]:
        """Two targets without a key in common are not the same: what findings can be looked up by."""
        return frozenset(f"{self.kind} {name}" for name in self.names)

    def is_same(self, other: FindingTarget) -> bool:
        """Whether both are the same target, or have a pod in common."""
        return not self.keys.isdisjoint(other.keys) and self.place.is_same(other.place)


class Candidate(Value, frozen=True, kw_only=True):
    """All of a finding that decides whether it is related to another.

    `refused` is why it is not to be acted on (see `in_scope`), or None. `target` is None where it names no target, or
    no place of it.
    """

    key: str
    source_id: str
    refused: str | None
    threat: str
    target: FindingTarget | None
    finding: RelatedFinding


def candidate(finding: Finding) -> Candidate:
    """What of the finding decides."""
    return Candidate(
        key=finding.key,
        source_id=finding.source_id,
        refused=in_scope(finding),
        threat=classify(finding).name,
        target=finding_target(finding),
        finding=RelatedFinding(
            name=finding.canonical_name or finding.name,
            category=finding.category,
            event_time=finding.event_time,
            severity=finding.severity,
        ),
    )


def is_related(other: Candidate, candidate: Candidate, sources: Collection[str] | None) -> bool:
    """Whether the first is related to the second, and can raise its confidence.

    `sources` are the numeric ids of the sources that settings list; None where no settings are known: every source.
    """
    return (
        other.key != candidate.key
        and (sources is None or other.source_id in sources)
        and other.refused is None
        and abs(other.finding.event_time - candidate.finding.event_time) <= RELATED_WITHIN
        and other.threat not in {UNKNOWN, candidate.threat}
        and other.target is not None
        and candidate.target is not None
        and other.target.is_same(candidate.target)
    )


def related_among(
    others: Iterable[Candidate], candidate: Candidate, sources: Collection[str] | None
) -> tuple[RelatedFinding, ...]:
    """The related ones among others, oldest first; of more than `MAX_RELATED` some of each threat."""
    by_threat: dict[str, list[Candidate]] = {}
    for other in others:
        if is_related(other, candidate, sources):
            by_threat.setdefault(other.threat, []).append(other)
    in_turn = filter(None, chain.from_iterable(zip_longest(*by_threat.values())))
    kept = (other.finding for other in islice(in_turn, MAX_RELATED))
    return tuple(sorted(kept, key=lambda finding: (finding.event_time, finding.name)))


def finding_target(finding: Finding) -> FindingTarget | None:
    """What the finding is about: the first that it names of pods, service or job, agent, node, principal."""
    number = project_number(finding)
    if finding.pods:
        names = frozenset(f"{pod.namespace}/{pod.name}" for pod in finding.pods)
        place = _cluster(finding.cluster, number) if finding.cluster else None
        return FindingTarget(kind="pod", names=names, place=place) if place else None
    if finding.cloud_run:
        return _cloud_run(finding.cloud_run, number)
    if finding.agent:
        place = _place(finding.agent.project, number, finding.agent.location)
        return FindingTarget(kind="agent", names=frozenset({finding.agent.name}), place=place)
    if finding.node or finding.instance:
        return _node(finding, number)
    return _principal(finding, number)


def project_number(finding: Finding) -> str:
    """The number of the finding's project, from its canonical name; empty where that names no project."""
    kind, _, number = _parent(finding).partition("/")
    return number if kind == "projects" and number.isdigit() else ""


def _parent(finding: Finding) -> str:
    return (finding.canonical_name or finding.name).partition("/sources/")[0]


def _place(project: str, number: str, location: str, cluster: str = "") -> TargetPlace:
    known = project if project.isdigit() else number
    return TargetPlace(project=project, number=known, location=location, cluster=cluster)


def _cluster(ref: ClusterRef, number: str) -> TargetPlace:
    return _place(ref.project, number, ref.location, ref.name)


def _cloud_run(resource: CloudRunTarget, number: str) -> FindingTarget:
    """A revision stands for its service, where its name says which."""
    kind, name = ("service", resource.service) if resource.service else (resource.kind, resource.name)
    return FindingTarget(kind=kind, names=frozenset({name}), place=_place(resource.project, number, resource.location))


def _node(finding: Finding, number: str) -> FindingTarget | None:
    """A node of a cluster, or the instance that it is. Both have the same name."""
    instance = Instance.parse(f"//compute.googleapis.com/{finding.instance}")
    if finding.cluster:
        place = _cluster(finding.cluster, number)
    elif instance:
        place = _place(instance.project, number, instance.zone)
    else:
        return None
    name = finding.node or (instance.name if instance else "")
    return FindingTarget(kind="node", names=frozenset({name}), place=place) if name else None


def _principal(finding: Finding, number: str) -> FindingTarget | None:
    """A principal in one project: more than its own project's findings is not read."""
    names = frozenset(filter(None, (finding.principal, finding.principal_subject)))
    if not names:
        return None
    of_cluster = finding.cluster if all(name.startswith(_KUBERNETES_USER) for name in names) else None
    place = _cluster(of_cluster, number) if of_cluster else TargetPlace(project=_parent(finding))
    return FindingTarget(kind="principal", names=names, place=place)
