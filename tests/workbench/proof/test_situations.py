"""All situations that matter are there, and no more than are needed."""

from __future__ import annotations

from pathlib import Path
from random import Random

from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.policy.cel import CelFacts
from scc_responder.policy.decide import match
from scc_responder.workbench.proof.enumerated_findings import enumerated_findings
from scc_responder.workbench.proof.made_situation import TargetWords, made_situation
from scc_responder.workbench.proof.possible_targets import possible_targets
from scc_responder.workbench.proof.situation_facets import facets
from scc_responder.workbench.proof.situations import Situations
from tests.workbench.proof.small_pack import NOW, loaded


def test_the_policies_named_are_those_that_match(tmp_path: Path) -> None:
    """As the product's own matching says of each situation."""
    pack = loaded(tmp_path / "small")
    found = list(Situations([pack], NOW).all())
    assert {mask for _, mask in found} >= {1 << number for number in range(len(pack.policies))}
    for situation, mask in found:
        context = situation.context
        matched = [match(context, policy, CelFacts(context)) == Reason.MATCHED for policy in pack.policies]
        assert matched == [bool(mask >> number & 1) for number in range(len(matched))]


def test_a_situation_at_random_is_like_one_of_them(tmp_path: Path) -> None:
    """Of every part any value: policies and guardrails answer as in one that was looked at, or no policy matches."""
    pack = loaded(tmp_path / "small")
    seen = facets([pack.guardrails])

    def told(situation: object) -> tuple[object, ...]:
        context = situation.context  # type: ignore[attr-defined]
        matched = tuple(match(context, policy) == Reason.MATCHED for policy in pack.policies)
        return (*matched, *(facet(context) for facet in seen))

    known = {told(situation) for situation, _ in Situations([pack], NOW).all()}
    kinds, values, random = list(enumerated_findings([pack])), possible_targets([pack]), Random(7)
    asked = [kind for kind in kinds if kind.like in {"reverse_shell", "added_binary_executed", "added_library_loaded"}]
    matching = 0
    for _ in range(1500):
        words = TargetWords(
            cluster=random.choice(values.clusters),
            workload=random.choice(values.workloads),
            labels=random.choice(((), (("tier", "critical"),), (("tier", "x"),))),
            images=random.choice(values.images),
            node_pool=random.choice(values.node_pools),
            node=random.choice(values.nodes),
        )
        answer = told(made_situation(random.choice(asked), words, NOW))
        if any(item is True for item in answer[: len(pack.policies)]):
            matching += 1
            assert answer in known
    assert matching > 100


def test_only_what_a_wanted_policy_is_about_is_looked_at(tmp_path: Path) -> None:
    """A change of one policy asks for the situations in which it acts."""
    pack = loaded(tmp_path / "small")
    number = next(n for n, policy in enumerate(pack.policies) if policy.name == "mark-privileged")
    found = list(Situations([pack], NOW, [number]).all())
    assert found
    assert all(mask >> number & 1 for _, mask in found)


def test_a_disabled_policy_has_no_situation(tmp_path: Path) -> None:
    """It does nothing."""
    pack = loaded(tmp_path / "small")
    off = tuple(replace(policy, mode="disabled") for policy in pack.policies)
    assert not list(Situations([replace(pack, policies=off)], NOW).all())
