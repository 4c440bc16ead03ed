"""What is said of data of the wrong shape: everything, and only what is wrong."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.policy_set import Policy
from scc_responder.policy.routes import Routes
from scc_responder.workbench.policies.cases.case_file import CaseFile
from scc_responder.workbench.policy_files.strict_yaml import load_yaml
from scc_responder.workbench.policy_files.type_mistakes import diagnose, repaired
from tests.kits.responder import SHIPPED

WHOLE = """
name: x
description: d
owner: o
mode: approve
when: {threat: [a, b], severity: HIGH, labels: {app: web, tier: [a, b]}}
unless: {namespace: shop}
condition: "true"
then:
  - {action: delete_pod, with: {grace_period_seconds: 3, identity: likely}, needs: [a], on_failure: continue}
  - {action: notify}
limits: [{most: 3, of: nodes, within: 10m}, {most: 5%, within: 1h}]
"""
RAILS = """
protected: {namespaces: [a], workloads: [b]}
max_mode: dry_run
ceilings: [{name: c, max_mode: approve, clusters: [d]}]
quiet_hours: [{name: q, from: "22:00", to: "06:00", days: [mon, tue], max_mode: dry_run}]
exemptions: [{name: e, when: {threat: "*"}, expires: 2026-12-31, owner: o, reason: r, ticket: t}]
approval: {approvers: [a], needed: 2, expires: 1h}
limits: {owner: [{most: 1, within: 1h}], node_pool: []}
storm_breaker: {targets: 3}
"""
DOCUMENTS: dict[str, tuple[Any, type]] = {
    "policy": (load_yaml(WHOLE, "policy"), Policy),
    "guardrails": (load_yaml(RAILS, "guardrails"), Guardrails),
    **{
        path.name: (load_yaml(path.read_text(), path.name), CaseFile if ".test." in path.name else Policy)
        for path in sorted(SHIPPED.glob("*.yaml"))
        if path.name != "guardrails.yaml"
    },
}
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 9000),
    st.floats(allow_nan=False),
    st.sampled_from(["", "x", "HIGH", "enforce", "1h", "pod", "stop"]),
    st.lists(st.sampled_from(["a", 1, None]), max_size=2),
    st.dictionaries(st.sampled_from(["threat", "action", "x"]), st.sampled_from(["a", 1, None]), max_size=2),
    st.dates(),
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where every value of a document stands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in items for found in [(*path, key), *places(inner, (*path, key))]]


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Any, type]:
    """A document with up to three of its values replaced, removed, or put under another key."""
    name = draw(st.sampled_from(sorted(DOCUMENTS)))
    document, wanted = DOCUMENTS[name]
    document = deepcopy(document)
    for _ in range(draw(st.integers(0, 3))):
        every = places(document)
        if not every:
            break
        *parents, key = draw(st.sampled_from(every))
        holder = document
        for parent in parents:
            holder = holder[parent]
        change = draw(st.sampled_from(["junk", "junk", "remove", "rename"]))
        if change == "junk" or not isinstance(holder, dict):
            holder[key] = draw(JUNK)
        else:
            value = holder.pop(key)
            if change == "rename":
                holder[draw(st.sampled_from([f"{key}s", "x", "threat"]))] = value
    return document, wanted


def has_gap(data: Any) -> bool:
    """Whether a key has no value: what the types allow and a file may not have."""
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return data is None or any(map(has_gap, parts))


@given(damaged())
def test_it_agrees_with_what_reads_the_data(given: tuple[Any, type]) -> None:
    """Data that can be read has no mistakes, and data that cannot be has at least one, in a place that there is."""
    data, wanted = given
    try:
        msgspec.convert(data, wanted)
        readable = True
    except msgspec.ValidationError:
        readable = False
    found = list(diagnose(data, wanted))
    assert (found == []) == readable or (readable and has_gap(data))
    known = {(), *places(data)}
    assert all(mistake.path in known or mistake.path[:-1] in known for mistake in found)
    assert all(mistake.text for mistake in found)


@given(damaged())
def test_the_rest_can_be_looked_at(given: tuple[Any, type]) -> None:
    """Without what is wrong, the rest can be read, unless an item of a list is no such item at all."""
    data, wanted = given
    found = list(diagnose(data, wanted))
    in_list = any(isinstance(mistake.path[-1], int) for mistake in found if mistake.path)
    if isinstance(data, dict) and not in_list:
        msgspec.convert(repaired(data, wanted, found), wanted)


def test_the_data_is_left_as_it_is() -> None:
    """To look at the rest changes nothing."""
    data = {"name": "x", "thn": []}
    repaired(data, Policy, list(diagnose(data, Policy)))
    assert data == {"name": "x", "thn": []}


def test_a_list_of_words_is_no_mistake() -> None:
    """Where one word or a list of them may stand, also beside a mistake elsewhere; another word in it is one."""
    rule = {"kind": ["expired", "undecided"], "to": ["ops"]}
    data = {"routes": None, "rules": [rule, {"kind": "expired", "to": []}], "fallback": ["ops"]}
    assert [mistake.path for mistake in diagnose(data, Routes)] == [("routes",)]
    rule["kind"] = ["expires"]
    assert [mistake.path for mistake in diagnose(data, Routes)] == [("routes",), ("rules", 0, "kind", 0)]


SAID = [
    pytest.param({"severity": "HIGH"}, "severity", "did you mean 'when.severity'?", id="not-indented"),
    pytest.param({"then": {"action": "x"}}, "then", "begin each item with '- '", id="no-list"),
    pytest.param({"then": "notify"}, "then", "expected a list of mappings, got the text 'notify'", id="text"),
    pytest.param({"when": ["a"]}, "when", "expected a mapping, got a list", id="list"),
    pytest.param({"owner": 3}, "owner", "expected a text, got the number 3; put it in quotes", id="number"),
    pytest.param(
        {"limits": [{"most": True, "within": "1h"}]}, "limits", "expected a whole number or a text", id="union"
    ),
    pytest.param({"limits": [{"most": 1.5, "within": "1h"}]}, "limits", "got the number 1.5", id="fraction"),
    pytest.param({"mode": 3}, "mode", "got the number 3, expected one of disabled", id="number-for-a-word"),
]


@pytest.mark.parametrize(("change", "field", "said"), SAID)
def test_what_is_said(change: dict[str, Any], field: str, said: str) -> None:
    """Each kind of mistake is told with what was expected and found."""
    found = list(diagnose({**DOCUMENTS["policy"][0], **change}, Policy))
    assert {mistake.path[0] for mistake in found} == {field}
    assert said in found[0].text
