"""What a finding and its context must be for a policy to apply: `when` and `unless`, and the same in guardrails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from scc_responder.domain.cloud_run.run_names import RunTarget, run_target
from scc_responder.domain.context import Context
from scc_responder.domain.resource_names import region_of
from scc_responder.domain.value import StrictValue
from scc_responder.domain.wildcards import matcher
from scc_responder.intake.threats import CONFIDENCES, fold


class Severity(StrEnum):
    """SCC's severities, lowest first."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


Patterns = str | tuple[str, ...]
Truth = bool | None
"""Yes, no, or None for missing data."""
Criterion = Callable[[Context], Truth]
ReadField = Callable[[Context], Any]


class Match(StrictValue, frozen=True, kw_only=True, dict=True):
    """Conditions on a finding and its context. A list means any of these; `*` and `?` are wildcards.

    `severity` means at least this severe. `labels` are the pod's, by key. `location` is that of the cluster, of the
    Cloud Run service or the agent; a zone is also its region. `service` is one of Cloud Run, or a job, by name or path.
    """

    threat: Patterns | None = None
    category: Patterns | None = None
    detector: Patterns | None = None
    severity: Severity | None = None
    kind: Patterns | None = None
    confidence: Patterns | None = None
    surface: Patterns | None = None
    cluster: Patterns | None = None
    project: Patterns | None = None
    location: Patterns | None = None
    service: Patterns | None = None
    namespace: Patterns | None = None
    workload: Patterns | None = None
    labels: dict[str, Patterns] | None = None
    image: Patterns | None = None
    node_pool: Patterns | None = None
    principal: Patterns | None = None

    def given(self) -> dict[str, Any]:
        """The conditions that were written, by field."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}

    def answers(self, context: Context) -> Iterator[tuple[str, Truth]]:
        """Each condition's name and answer, in the order of the fields."""
        return ((name, condition(context)) for name, condition in self.conditions)

    @cached_property
    def conditions(self) -> tuple[tuple[str, Criterion], ...]:
        """Each condition's name and test, in the order of the fields: made once, as one policy meets many findings."""
        return tuple((name, FIELDS[name].condition(wanted)) for name, wanted in self.given().items())


def as_tuple(patterns: Patterns) -> tuple[str, ...]:
    """One pattern, or several, as several."""
    return (patterns,) if isinstance(patterns, str) else patterns


class Field(NamedTuple):
    """How one field is read from a context, and how a wanted value becomes a test."""

    read: ReadField
    made: Callable[[ReadField, Any], Criterion]

    def condition(self, wanted: Any) -> Criterion:
        """The test of a context for what a policy wants."""
        return self.made(self.read, wanted)


def _text(read: ReadField, wanted: Patterns) -> Criterion:
    """A condition on one text of the context; an empty one is missing."""
    fits = matcher(as_tuple(wanted))

    def holds(context: Context) -> Truth:
        text = read(context)
        return fits(text) if text else None

    return holds


def _folded(read: ReadField, wanted: Patterns) -> Criterion:
    return _text(lambda context: fold(read(context)), tuple(map(fold, as_tuple(wanted))))


def _at_least(read: ReadField, wanted: Severity) -> Criterion:
    order = {str(severity): rank for rank, severity in enumerate(Severity)}

    def holds(context: Context) -> Truth:
        rank = order.get(read(context))
        return None if rank is None else rank >= order[wanted]

    return holds


def _confidence(read: ReadField, wanted: Patterns) -> Criterion:
    """Related findings can only raise the confidence: if they could not be read, it is a lower bound."""
    fits = {confidence: matcher(as_tuple(wanted))(confidence) for confidence in CONFIDENCES}

    def holds(context: Context) -> Truth:
        known = read(context)
        could_be = CONFIDENCES[CONFIDENCES.index(known) :] if context.related is None else (known,)
        answers = {fits[confidence] for confidence in could_be}
        return answers.pop() if len(answers) == 1 else None

    return holds


def _by_key(read: ReadField, wanted: Mapping[str, Patterns]) -> Criterion:
    fits = {key: matcher(as_tuple(value)) for key, value in wanted.items()}

    def holds(context: Context) -> Truth:
        labels = read(context)
        return None if labels is None else all(key in labels and fit(labels[key]) for key, fit in fits.items())

    return holds


def _any_of(read: ReadField, wanted: Patterns) -> Criterion:
    fits = matcher(as_tuple(wanted))

    def holds(context: Context) -> Truth:
        answers = [fits(text) if text else None for text in read(context)]
        return True if True in answers else None if None in answers or not answers else False

    return holds


def _workload(context: Context) -> str | None:
    """The workload is unknown if the owner chain could not be read completely."""
    workload = context.pod.workload if context.pod and "owner" not in context.missing else None
    return f"{workload.kind}/{workload.name}" if workload else None


def _namespace(context: Context) -> str | None:
    pod = context.pod or context.finding.pod
    return pod.namespace if pod else None


def _project(context: Context) -> str | None:
    target = context.finding.cluster or context.finding.cloud_run or context.finding.agent
    return target.project if target else None


def _locations(context: Context) -> tuple[str, ...]:
    target = context.finding.cluster or context.finding.cloud_run or context.finding.agent
    return tuple(dict.fromkeys((target.location, region_of(target.location)))) if target else ()


def _services(context: Context) -> tuple[str, ...]:
    """The service or job by its name, and by its path."""
    target = run_target(context.finding.cloud_run)
    return (target.name.name, target.path) if isinstance(target, RunTarget) else ()


FIELDS: dict[str, Field] = {
    "threat": Field(lambda context: context.threat.name, _text),
    "category": Field(lambda context: context.finding.category, _folded),
    "detector": Field(lambda context: context.threat.detector, _text),
    "severity": Field(lambda context: context.threat.severity, _at_least),
    "kind": Field(lambda context: context.threat.kind, _text),
    "confidence": Field(lambda context: context.threat.confidence, _confidence),
    "surface": Field(lambda context: context.threat.surface, _text),
    "cluster": Field(lambda context: context.finding.cluster.path if context.finding.cluster else None, _text),
    "project": Field(_project, _text),
    "location": Field(_locations, _any_of),
    "service": Field(_services, _any_of),
    "namespace": Field(_namespace, _text),
    "workload": Field(_workload, _text),
    "labels": Field(lambda context: context.pod.labels if context.pod else None, _by_key),
    "image": Field(lambda context: [container.image for container in context.finding.containers], _any_of),
    "node_pool": Field(lambda context: context.node.node_pool if context.node else None, _text),
    "principal": Field(lambda context: context.finding.principal, _text),
}
"""For each field of `when`: how it is read from a context, and how it is tested."""

assert FIELDS.keys() == set(Match.__struct_fields__)  # noqa: S101 - a condition without an entry would never hold
