"""Policies are looked up by the words of a threat, and the answers are those of `decide`."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

from msgspec.structs import replace

from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.intake.threats import catalogue
from scc_responder.policy.decide import Decision, decide
from scc_responder.policy.match import Match, Severity
from scc_responder.policy.policy_set import Policy, PolicyStep
from scc_responder.workbench.explanation import context_of
from scc_responder.workbench.sample_findings import facts_as_told, sample_finding, unknown_finding
from scc_responder.workbench.simulation import policy_index
from scc_responder.workbench.simulation.policy_index import PolicyIndex

ROWS = catalogue()


def contexts() -> list[Context]:
    """A finding of each threat, and one of none; some have a severity of their own."""
    found = [*map(sample_finding, ROWS), unknown_finding()]
    found += [replace(each, severity="LOW") for each in found[::7]]
    return [context_of(each, facts_as_told(each)) for each in found]


def policies(count: int) -> list[Policy]:
    """Policies of any conditions, drawn from a seed."""
    draw = Random(7)

    def conditions() -> Match:
        row = draw.choice(ROWS)
        closed: dict[str, Any] = {
            "threat": [row.name, f"{row.name[:3]}*"],
            "kind": [row.kind],
            "surface": [row.surface, ("pod", "node")],
            "detector": [row.detector],
            "severity": list(Severity),
        }
        others: dict[str, Any] = {
            "namespace": ["shop", "other"],
            "confidence": ["likely"],
            "category": [row.category],
            "labels": [{"app": "web"}, {"app": "x"}],
        }
        wanted = draw.sample([*closed.items(), *others.items()], draw.randint(0, 2))
        return Match(**{name: draw.choice(values) for name, values in wanted})

    return [
        Policy(
            name=f"p{number}",
            description="d",
            owner="o",
            mode=draw.choice(tuple(Mode)),
            when=conditions(),
            unless=conditions() if draw.random() < 0.3 else Match(),
            condition=draw.choice(("", "", 'finding.severity == "HIGH"', "pod.name.size() > 300")),
            then=(PolicyStep(action="label_pod"),),
        )
        for number in range(count)
    ]


def test_the_index_finds_what_decide_matches() -> None:
    """Of any policies and threats: the same decisions in the same order, at the first look and after it."""
    given = policies(200)
    index = PolicyIndex(given)
    reached = 0
    for context in contexts() * 2:
        expected = [answer for answer in decide(context, given).policies if answer.matched]
        assert list(index.matched(context).policies) == expected
        reached += len(expected)
    assert reached > 100


def test_policies_of_another_threat_are_not_asked(monkeypatch: Any) -> None:
    """Only those that may match are decided on."""
    asked: list[str] = []

    def noted(context: Context, candidates: Iterable[Policy]) -> Decision:
        asked.extend(policy.name for policy in candidates)
        return decide(context, candidates)

    monkeypatch.setattr(policy_index, "decide", noted)
    own = [replace(each, mode=Mode.ENFORCE, unless=Match(), condition="") for each in policies(4)]
    whens = (Match(threat="reverse_shell"), Match(threat="dropped"), Match(namespace="shop"), Match(kind="behavioral"))
    closed, other, open_one, excepted = (replace(one, when=when) for one, when in zip(own, whens, strict=True))
    excepted = replace(excepted, unless=Match(threat="reverse_*"))
    shell = next(each for each in contexts() if each.threat.name == "reverse_shell")
    matched = PolicyIndex((closed, other, open_one, excepted)).matched(shell).policies
    assert [each.name for each in matched] == asked == [closed.name, open_one.name]


def test_as_many_threats_as_there_is_room_for_are_remembered(monkeypatch: Any) -> None:
    """Beyond that it begins anew, and still finds the same."""
    monkeypatch.setattr(policy_index, "MOST_THREATS", 2)
    given = policies(50)
    index = PolicyIndex(given)
    for context in contexts()[:20]:
        assert [each.name for each in index.matched(context).policies] == list(decide(context, given).modes)
        assert len(index._known) <= 2
