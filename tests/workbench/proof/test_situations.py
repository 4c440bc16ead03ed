"""All situations that matter are there, and no more than are needed."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from scc_responder.domain.errors import PolicyError
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.policy.cel import CelFacts
from scc_responder.policy.decide import match
from scc_responder.policy.guardrails import Guardrails, Protected
from scc_responder.policy.match import Match
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.shipped_pack import PACK
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


def labelled(counts: int, each: int) -> PolicySet:
    """So many policies, each of which asks for so many labels of the pod; neighbours share all but one."""
    one = load_policies(PACK).policies[0]
    whens = [Match(threat="*", labels={f"k{key}": "x*" for key in range(n, n + each)}) for n in range(counts)]
    policies = tuple(
        replace(one, name=f"p{n}", mode=Mode.ENFORCE, when=when, unless=Match(), condition="")
        for n, when in enumerate(whens)
    )
    return PolicySet(policies=policies, guardrails=Guardrails(protected=Protected()), digest="")


def test_labels_are_told_apart_as_all_of_their_values_would() -> None:
    """Whatever labels a pod has, policies answer as for one that was looked at."""
    pack = labelled(4, 2)
    found = {mask for _, mask in Situations([pack], NOW).all()}
    every = set()
    for texts in product(("", "x", "other"), repeat=5):
        labels = {f"k{key}": text for key, text in enumerate(texts) if text}
        holds = [all(labels.get(key) == "x" for key in policy.when.labels or {}) for policy in pack.policies]
        every.add(sum(1 << number for number, held in enumerate(holds) if held))
    assert found == every - {0}


def test_many_labels_take_no_time_without_end() -> None:
    """Of 15 keys with three values each there are 14 million; these policies tell 12 apart, and more at once."""
    assert len(list(Situations([labelled(12, 4)], NOW).all())) < 10_000
    with pytest.raises(PolicyError, match="ask for fewer labels and patterns"):
        list(Situations([labelled(30, 2)], NOW).all())
