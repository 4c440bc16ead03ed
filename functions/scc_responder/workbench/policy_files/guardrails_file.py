"""Read `guardrails.yaml`, and refuse what would protect nothing: a limit that never holds is worse than none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from scc_responder.actions import actions
from scc_responder.domain.mode import Mode
from scc_responder.policy.guardrails import (
    GUARDRAILS_FILE,
    NO_WARM_UP,
    ApprovalRules,
    Ceiling,
    Environment,
    Exemption,
    Guardrails,
    Protected,
    QuietHours,
    StormBreaker,
)
from scc_responder.policy.limits import Limit
from scc_responder.workbench.policy_files.hours_mistakes import hours_mistakes
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake, expected
from scc_responder.workbench.policy_files.rule_mistakes import (
    LOCATION,
    PROJECT_BY_ID,
    duration_mistakes,
    limit_mistakes,
    match_mistakes,
    may_be_cluster,
    may_be_service,
    scope_mistakes,
    share_mistakes,
    spread,
)
from scc_responder.workbench.policy_files.strict_yaml import read_document

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NAMESPACE = re.compile(r"[a-z0-9*?-]{1,63}", re.ASCII)
_NODE = re.compile(r"[a-z0-9.*?-]{1,253}", re.ASCII)
_WORKLOAD = re.compile(rf"{_NAMESPACE.pattern}/[A-Z*?][A-Za-z0-9*?]*/[a-z0-9.*?-]+", re.ASCII)
_PRINCIPAL = re.compile(r"\S+", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9./_-]+", re.ASCII)


def _may_be_workload(pattern: str) -> bool:
    return any(_WORKLOAD.fullmatch("/".join(parts)) for parts in spread(pattern, 3))


_FORMS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "namespaces": (_NAMESPACE.fullmatch, "a namespace is lower-case letters, digits and '-', such as shop or team-*"),
    "workloads": (_may_be_workload, "write namespace/Kind/name, such as shop/Deployment/web or */StatefulSet/*-db"),
    "nodes": (_NODE.fullmatch, "a node is lower-case letters, digits, '-' and '.', such as gke-prod-1-system-*"),
    "clusters": (may_be_cluster, "write projects/P/locations/L/clusters/C; * stands for one part of it"),
    "services": (
        may_be_service,
        f"write projects/P/locations/L/services/N or .../jobs/N, {PROJECT_BY_ID}; * stands for one part of it",
    ),
    "locations": (LOCATION.fullmatch, "a location is lower-case letters, digits and '-', such as europe-west1 or us-*"),
    "principals": (_PRINCIPAL.fullmatch, "write an e-mail address, or a principal:// name"),
}
"""What a pattern must look like to match anything at all, by the field it stands in."""


def load_guardrails(folder: Path) -> Guardrails:
    """The folder's guardrails; `NONE_GIVEN` where there are none. Raises PolicyError."""
    path = folder / GUARDRAILS_FILE
    if not path.exists() or not path.read_bytes().strip():
        return NONE_GIVEN
    return read_document(path, Guardrails, mistakes)


def mistakes(guardrails: Guardrails) -> Iterator[Mistake]:
    """Every mistake in guardrails: what can never hold, and names that stand twice."""
    yield from _patterns(("protected",), guardrails.protected, ("namespaces", "workloads", "nodes", "clusters"))
    yield from _patterns(("protected",), guardrails.protected, ("services", "locations", "principals"))
    for index, ceiling in enumerate(guardrails.ceilings):
        yield from _patterns(("ceilings", index), ceiling, ("clusters", "namespaces"))
        yield from _changing(("ceilings", index, "actions"), ceiling.actions, "has no mode of its own")
    for index, quiet in enumerate(guardrails.quiet_hours):
        yield from _quiet_hours(("quiet_hours", index), quiet)
    for index, exemption in enumerate(guardrails.exemptions):
        yield from _exemption(("exemptions", index), exemption)
    yield from _names(guardrails)
    yield from _approval(guardrails.approval)
    isolation = guardrails.isolation
    for place, limits in ((("limits",), guardrails.limits), (("isolation", "limits"), isolation.limits)):
        for scope in limits.__struct_fields__:
            for index, limit in enumerate(getattr(limits, scope)):
                yield from limit_mistakes(limit, (*place, scope, index))
                yield from _scope_mistakes(limit, scope, (*place, scope, index, "of"))
    yield from _storm_breaker(guardrails.storm_breaker, ("storm_breaker",))
    yield from _storm_breaker(isolation.storm_breaker, ("isolation", "storm_breaker"))
    yield from _environments(guardrails)
    if guardrails.warm_up != NO_WARM_UP:
        yield from duration_mistakes(guardrails.warm_up, ("warm_up",))
    yield from _allowed_keys(guardrails)
    for field in guardrails.max_finding_age.__struct_fields__:
        yield from duration_mistakes(getattr(guardrails.max_finding_age, field), ("max_finding_age", field))


def _patterns(
    place: DocumentPath, part: Protected | Ceiling | QuietHours | Environment, fields: Iterable[str]
) -> Iterator[Mistake]:
    for field in fields:
        fits, remedy = _FORMS[field]
        for index, pattern in enumerate(getattr(part, field)):
            if not fits(pattern):
                yield Mistake(path=(*place, field, index), text=f"{pattern!r} can never match; {remedy}")


def _quiet_hours(place: DocumentPath, quiet: QuietHours) -> Iterator[Mistake]:
    yield from _patterns(place, quiet, ("clusters",))
    yield from hours_mistakes(place, quiet)


def _exemption(place: DocumentPath, exemption: Exemption) -> Iterator[Mistake]:
    if not exemption.when.given():
        text = "at least one condition is needed; to hold everything, set max_mode"
        yield Mistake(path=(*place, "when"), text=text)
    yield from match_mistakes(exemption.when, (*place, "when"))
    yield from _changing((*place, "actions"), exemption.actions, "is never held")
    try:
        exemption.ends  # noqa: B018
    except ValueError:
        text = f"{exemption.expires!r} is no end; write its last day, 2026-03-02, or a moment, 2026-03-02T12:00Z"
        yield Mistake(path=(*place, "expires"), text=text)
    for field in ("owner", "reason", "ticket"):
        if not getattr(exemption, field).strip():
            text = "empty; say who decided it, why, and where that is written down"
            yield Mistake(path=(*place, field), text=text)


def _changing(place: DocumentPath, names: Iterable[str], why: str) -> Iterator[Mistake]:
    """Names that are none of actions that change something. `why` says why another one has no use here."""
    known = actions()
    for index, name in enumerate(names):
        if name not in known:
            yield Mistake(path=(*place, index), text=f"unknown action {name!r}; {expected(name, known)}")
        elif known[name].observes:
            text = f"{name!r} changes nothing on the target and {why}; remove it"
            yield Mistake(path=(*place, index), text=text)


def _names(guardrails: Guardrails) -> Iterator[Mistake]:
    """Ceilings and quiet hours share one set of names, since a decision names both in the same way."""
    for fields in (("ceilings", "quiet_hours"), ("exemptions",), ("environments",)):
        seen: dict[str, str] = {}
        for field in fields:
            for index, item in enumerate(getattr(guardrails, field)):
                place = (field, index, "name")
                if not _NAME.fullmatch(item.name):
                    text = f"{item.name!r} must be lower-case letters, digits and '-', as it stands in records"
                    yield Mistake(path=place, text=text)
                elif item.name in seen:
                    text = f"{item.name!r} is the name of {seen[item.name]} too; choose another"
                    yield Mistake(path=place, text=text)
                seen[item.name] = f"{field}[{index}]"


def _approval(approval: ApprovalRules) -> Iterator[Mistake]:
    approvers = approval.approvers
    needed = ("approval", "needed")
    if approval.needed < 1:
        text = f"{approval.needed}: at least one person must approve; to ask nobody, use mode: enforce"
        yield Mistake(path=needed, text=text)
    if approvers and approval.needed > len(set(approvers)):
        text = f"{approval.needed} are needed, but approvers lists {len(set(approvers))}"
        yield Mistake(path=needed, text=text)
    yield from _each(("approval", "approvers"), approvers, _PRINCIPAL.fullmatch, "write an e-mail address")
    yield from duration_mistakes(approval.expires, ("approval", "expires"))


def _scope_mistakes(limit: Limit, scope: str, path: DocumentPath) -> Iterator[Mistake]:
    if path[0] == "isolation" and limit.of != "pods":
        yield Mistake(path=path, text=f"{limit.of} are not isolated; write pods")
    else:
        yield from scope_mistakes(limit, scope, path)


def _environments(guardrails: Guardrails) -> Iterator[Mistake]:
    for index, environment in enumerate(guardrails.environments):
        place: DocumentPath = ("environments", index)
        yield from _patterns(place, environment, ("clusters",))
        yield from share_mistakes(environment.share, (*place, "share"))
        if not environment.clusters:
            yield Mistake(path=(*place, "clusters"), text="no cluster is named; name one, or remove the environment")
    yield from share_mistakes(guardrails.cluster_share, ("cluster_share",))
    fits, remedy = _FORMS["workloads"]
    yield from _each(("keep_serving",), guardrails.keep_serving, fits, f"can never match; {remedy}")


def _storm_breaker(breaker: StormBreaker, place: DocumentPath) -> Iterator[Mistake]:
    for field in ("targets", "denials"):
        if getattr(breaker, field) < 1:
            text = f"{getattr(breaker, field)} would never let anything be done; write 1 or more"
            yield Mistake(path=(*place, field), text=text)
    yield from duration_mistakes(breaker.within, (*place, "within"))


def _allowed_keys(guardrails: Guardrails) -> Iterator[Mistake]:
    for field in ("labels", "annotations"):
        keys = getattr(guardrails.allowed_keys, field)
        yield from _each(("allowed_keys", field), keys, _KEY.fullmatch, "write a whole key; patterns are not read here")


def _each(place: DocumentPath, values: Iterable[str], fits: Callable[[str], object], remedy: str) -> Iterator[Mistake]:
    return (
        Mistake(path=(*place, index), text=f"{value!r}: {remedy}")
        for index, value in enumerate(values)
        if not fits(value)
    )


NONE_GIVEN = Guardrails(protected=Protected(namespaces=("*",)), max_mode=Mode.DRY_RUN)
"""A missing or empty file allows nothing to be enforced."""
