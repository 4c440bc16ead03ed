"""Edits of the guardrails: each is told by its field, and none that lets more be done passes for one that does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scc_responder.domain.context import Context
from scc_responder.guard.guard import guard
from scc_responder.policy.guardrails import Guardrails
from scc_responder.workbench.simulation.edits.edit import Edit
from scc_responder.workbench.simulation.guardrail_edits import edits
from tests.guard.test_guard_only_takes_away import MOMENTS, RAILS, allowed, contexts, decided

TODAY = date(2026, 3, 2)
CEILING = {"name": "production", "max_mode": "approve", "clusters": ["a", "b"]}
QUIET = {"name": "nights", "from": "22:00", "to": "06:00", "days": ["mon"], "timezone": "UTC", "max_mode": "approve"}
EXEMPTION = {
    "name": "load-test",
    "when": {"namespace": "shop"},
    "actions": ["delete_pod"],
    "expires": "2026-06-30",
    "owner": "secops@example.com",
    "reason": "A test.",
    "ticket": "T-1",
}
EXPIRED = {**EXEMPTION, "expires": "2026-03-01"}
FULL: dict[str, Any] = {
    "protected": {
        "namespaces": ["kube-system", "bank"],
        "workloads": ["shop/Deployment/web"],
        "nodes": ["node-1"],
        "clusters": ["a"],
        "services": ["s"],
        "locations": ["l"],
        "principals": ["admin@example.com"],
    },
    "max_mode": "approve",
    "ceilings": [CEILING],
    "quiet_hours": [QUIET],
    "exemptions": [EXEMPTION],
    "approval": {"approvers": ["a@example.com", "b@example.com"], "needed": 2, "expires": "1h"},
    "limits": {"namespace": [{"most": 3, "within": "10m"}], "owner": [{"most": "25%", "within": "10m"}]},
    "storm_breaker": {"targets": 10, "denials": 5, "within": "10m"},
    "isolation": {"limits": {"namespace": [{"most": 10, "within": "10m"}]}, "storm_breaker": {"targets": 30}},
    "environments": [{"name": "development", "clusters": ["dev"], "share": "50%"}],
    "cluster_share": "25%",
    "keep_serving": ["shop/Deployment/web"],
    "allowed_keys": {"labels": ["team"], "annotations": ["note"]},
    "max_finding_age": {"irreversible": "30m", "reversible": "24h"},
}


def rails(**changes: Any) -> Guardrails:
    """The full ones, with these parts instead; a part of a part is changed by itself."""
    parts = {name: {**FULL[name], **part} if isinstance(part, dict) else part for name, part in changes.items()}
    return msgspec.convert({**FULL, **parts}, Guardrails)


def shown(edit: Edit) -> str:
    """The edit in a line."""
    return f"{'WIDENS ' if edit.widens else ''}{edit.field}: {edit.before} -> {edit.after}"


TABLE: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"protected": {"namespaces": ["bank", "kube-system"]}}, []),
    ({"protected": {"namespaces": ["bank"]}}, ["WIDENS protected.namespaces: kube-system -> None"]),
    ({"protected": {"nodes": ["node-1", "node-2"]}}, ["protected.nodes: None -> node-2"]),
    (
        {"protected": {"principals": ["root@example.com"]}},
        [
            "WIDENS protected.principals: admin@example.com -> None",
            "protected.principals: None -> root@example.com",
        ],
    ),
    ({"max_mode": "enforce"}, ["WIDENS max_mode: approve -> enforce"]),
    ({"max_mode": "dry_run"}, ["max_mode: approve -> dry_run"]),
    (
        {"ceilings": []},
        ["WIDENS ceilings.production: {'max_mode': 'approve', 'clusters': ['a', 'b']} -> None"],
    ),
    (
        {"ceilings": [CEILING, {"name": "tests", "max_mode": "dry_run"}]},
        ["ceilings.tests: None -> {'max_mode': 'dry_run'}"],
    ),
    (
        {"ceilings": [{**CEILING, "max_mode": "enforce"}]},
        ["WIDENS ceilings.production.max_mode: approve -> enforce"],
    ),
    ({"ceilings": [{**CEILING, "clusters": ["a"]}]}, ["WIDENS ceilings.production.clusters: b -> None"]),
    ({"ceilings": [{**CEILING, "clusters": ["a", "b", "c"]}]}, ["ceilings.production.clusters: None -> c"]),
    ({"ceilings": [{**CEILING, "clusters": []}]}, ["ceilings.production.clusters: ['a', 'b'] -> []"]),
    (
        {"ceilings": [{**CEILING, "namespaces": ["shop"]}]},
        ["WIDENS ceilings.production.namespaces: [] -> ['shop']"],
    ),
    (
        {"ceilings": [{**CEILING, "actions": ["delete_pod"]}]},
        ["WIDENS ceilings.production.actions: [] -> ['delete_pod']"],
    ),
    ({"protected": {"services": []}}, ["WIDENS protected.services: s -> None"]),
    ({"protected": {"locations": ["l", "m"]}}, ["protected.locations: None -> m"]),
    (
        {"limits": {"project": []}},
        [
            "WIDENS limits.project: 3 services within 10m -> None",
            "WIDENS limits.project: 10 services within 24h -> None",
        ],
    ),
    ({"keep_serving": []}, ["WIDENS keep_serving: shop/Deployment/web -> None"]),
    ({"cluster_share": "50%"}, ["WIDENS cluster_share: 25% -> 50%"]),
    ({"cluster_share": "10%"}, ["cluster_share: 25% -> 10%"]),
    ({"isolation": {"storm_breaker": {"targets": 40}}}, ["WIDENS isolation.storm_breaker.targets: 30 -> 40"]),
    (
        {"environments": []},
        ["WIDENS environments.development: {'clusters': ['dev'], 'share': '50%'} -> None"],
    ),
    ({"quiet_hours": [{**QUIET, "from": "21:00"}]}, ["quiet_hours.nights.from: 22:00 -> 21:00"]),
    ({"quiet_hours": [{**QUIET, "from": "23:00"}]}, ["WIDENS quiet_hours.nights.from: 22:00 -> 23:00"]),
    ({"quiet_hours": [{**QUIET, "to": "07:00"}]}, ["quiet_hours.nights.to: 06:00 -> 07:00"]),
    ({"quiet_hours": [{**QUIET, "days": []}]}, ["quiet_hours.nights.days: ['mon'] -> []"]),
    ({"quiet_hours": [{**QUIET, "days": ["tue"]}]}, ["WIDENS quiet_hours.nights.days: ['mon'] -> ['tue']"]),
    (
        {"quiet_hours": [{**QUIET, "timezone": "Europe/Berlin"}]},
        ["WIDENS quiet_hours.nights.timezone: UTC -> Europe/Berlin"],
    ),
    ({"quiet_hours": [{**QUIET, "max_mode": "disabled"}]}, ["quiet_hours.nights.max_mode: approve -> disabled"]),
    (
        {"exemptions": [{**EXEMPTION, "expires": "2026-06-29"}]},
        ["WIDENS exemptions.load-test.expires: 2026-06-30 -> 2026-06-29"],
    ),
    (
        {"exemptions": [{**EXEMPTION, "expires": "2026-07-01", "ticket": "T-2"}]},
        [
            "exemptions.load-test.expires: 2026-06-30 -> 2026-07-01",
            "exemptions.load-test.ticket: T-1 -> T-2",
        ],
    ),
    (
        {"exemptions": [{**EXEMPTION, "when": {"namespace": "bank"}}]},
        ["WIDENS exemptions.load-test.when: {'namespace': 'shop'} -> {'namespace': 'bank'}"],
    ),
    (
        {"exemptions": [{**EXEMPTION, "actions": ["isolate_pod"]}]},
        [
            "WIDENS exemptions.load-test.actions: delete_pod -> None",
            "exemptions.load-test.actions: None -> isolate_pod",
        ],
    ),
    ({"exemptions": [{**EXEMPTION, "actions": []}]}, ["exemptions.load-test.actions: ['delete_pod'] -> []"]),
    (
        {"approval": {"approvers": ["a@example.com", "c@example.com"]}},
        [
            "approval.approvers: b@example.com -> None",
            "WIDENS approval.approvers: None -> c@example.com",
        ],
    ),
    ({"approval": {"needed": 1}}, ["WIDENS approval.needed: 2 -> 1"]),
    ({"approval": {"expires": "90m"}}, ["WIDENS approval.expires: 1h -> 90m"]),
    ({"approval": {"expires": "30m", "needed": 3}}, ["approval.needed: 2 -> 3", "approval.expires: 1h -> 30m"]),
    (
        {"limits": {"namespace": [{"most": 4, "within": "10m"}]}},
        [
            "WIDENS limits.namespace: 3 pods within 10m -> None",
            "limits.namespace: None -> 4 pods within 10m",
        ],
    ),
    (
        {"limits": {"namespace": [{"most": 3, "within": "1h"}]}},
        ["limits.namespace: 3 pods within 10m -> None", "limits.namespace: None -> 3 pods within 1h"],
    ),
    (
        {"limits": {"namespace": [{"most": 3, "of": "nodes", "within": "10m"}]}},
        [
            "WIDENS limits.namespace: 3 pods within 10m -> None",
            "limits.namespace: None -> 3 nodes within 10m",
        ],
    ),
    (
        {"limits": {"owner": [{"most": 1, "within": "10m"}]}},
        ["WIDENS limits.owner: 25% pods within 10m -> None", "limits.owner: None -> 1 pods within 10m"],
    ),
    (
        {"limits": {"owner": [{"most": "9%", "within": "10m"}]}},
        ["limits.owner: 25% pods within 10m -> None", "limits.owner: None -> 9% pods within 10m"],
    ),
    ({"storm_breaker": {"targets": 11}}, ["WIDENS storm_breaker.targets: 10 -> 11"]),
    ({"storm_breaker": {"denials": 4}}, ["storm_breaker.denials: 5 -> 4"]),
    ({"warm_up": "30s"}, ["warm_up: 0s -> 30s"]),
    ({"storm_breaker": {"within": "5m"}}, ["WIDENS storm_breaker.within: 10m -> 5m"]),
    ({"storm_breaker": {"within": "1h"}}, ["storm_breaker.within: 10m -> 1h"]),
    ({"allowed_keys": {"labels": ["team", "tier"]}}, ["WIDENS allowed_keys.labels: None -> tier"]),
    ({"allowed_keys": {"annotations": []}}, ["allowed_keys.annotations: note -> None"]),
    ({"max_finding_age": {"irreversible": "31m"}}, ["WIDENS max_finding_age.irreversible: 30m -> 31m"]),
    ({"max_finding_age": {"reversible": "12h"}}, ["max_finding_age.reversible: 24h -> 12h"]),
]


@pytest.mark.parametrize(("changes", "told"), TABLE, ids=[str(index) for index in range(len(TABLE))])
def test_each_edit_names_its_field(changes: dict[str, Any], told: list[str]) -> None:
    """Each edit is told by its field, with what stood there and what stands there, and whether it widens."""
    assert [shown(edit) for edit in edits(rails(), rails(**changes), TODAY)] == told


def test_an_exemption_that_has_ended() -> None:
    """What has expired holds nothing: taking it out of the file widens nothing. On its last day it still holds."""
    former, now = rails(exemptions=[EXPIRED]), rails(exemptions=[])
    assert [edit.widens for edit in edits(former, now, TODAY)] == [False]
    assert [edit.widens for edit in edits(former, now, date(2026, 3, 1))] == [True]
    assert [edit.widens for edit in edits(former, rails(), TODAY)] == [False]


def test_another_order_of_environments_is_told() -> None:
    """A cluster is in the first that names it: which limits it is counted by depends on the order alone."""
    development, everywhere = ({"name": name, "clusters": [name]} for name in ("dev", "*"))
    former, now = (rails(environments=each) for each in ([development, everywhere], [everywhere, development]))
    assert [shown(edit) for edit in edits(former, now, TODAY)] == ["WIDENS environments: ['dev', '*'] -> ['*', 'dev']"]


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where each single value of the guardrails stands."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    elif value is not None:
        yield path


EVERYTHING = msgspec.json.decode(msgspec.json.encode(rails()))
OTHER = {"max_mode": "disabled", "days": "sun", "most": 7} | dict.fromkeys(
    ["within", "irreversible", "reversible", "warm_up"], "7m"
)
OTHER |= {"cluster_share": "7%", "share": "7%"}


def otherwise(path: tuple[str | int, ...], value: Any) -> Any:
    """Another value that may stand there."""
    words = [word for word in path if isinstance(word, str)]
    if words[-1] == "expires":
        return "2026-05-01" if words[0] == "exemptions" else "7m"
    if words[-1] == "of":
        return "pods" if value == "nodes" else "nodes"
    return OTHER.get(words[-1], 7 if isinstance(value, int) else "other")


@pytest.mark.parametrize("path", list(leaves(EVERYTHING)), ids=lambda path: ".".join(map(str, path)))
def test_no_field_is_overlooked(path: tuple[str | int, ...]) -> None:
    """Whatever single value of the file is another one, an edit tells of it: so it does of a field that is new."""
    changed = msgspec.json.decode(msgspec.json.encode(EVERYTHING))
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = otherwise(path, place[path[-1]])
    told = edits(rails(), msgspec.convert(changed, Guardrails), TODAY)
    assert told
    assert {edit.field.split(".")[0] for edit in told} == {path[0]}


@st.composite
def edited(draw: st.DrawFn) -> tuple[Guardrails, Guardrails]:
    """Guardrails, and others that took some parts over."""
    former, other = draw(RAILS), draw(RAILS)
    parts = {name: getattr(draw(st.sampled_from([former, other])), name) for name in former.__struct_fields__}
    for name in ("ceilings", "quiet_hours", "exemptions"):
        # The same names now and then, so that entries are edited and not only exchanged.
        parts[name] = _renamed(parts[name])
        former = msgspec.structs.replace(former, **{name: _renamed(getattr(former, name))})
    return former, Guardrails(**parts)


def _renamed(items: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(msgspec.structs.replace(item, name=f"n{index}") for index, item in enumerate(items))


@given(edited(), contexts(), MOMENTS)
@settings(max_examples=300)
def test_what_does_not_widen_allows_nothing_new(
    both: tuple[Guardrails, Guardrails], about: Context, moment: datetime
) -> None:
    """Where no edit is said to widen, nothing may be done to any target, at any time, that might not be done before."""
    former, now = both
    assume(not any(edit.widens for edit in edits(former, now, moment.date())))
    decision = decided(about)
    before, after = (allowed(guard(about, decision, each, moment)) for each in (former, now))
    assert after.keys() <= before.keys()
    assert all(after[key][0] <= before[key][0] for key in after)
