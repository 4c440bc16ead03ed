"""The facts of a look, as a case keeps them and conditions see them."""

from __future__ import annotations

import msgspec
import pytest

from scc_responder.domain.kubernetes.container_facts import Artefact, ArtefactHash, Compiler, Inspection, Origin
from scc_responder.policy.cel import CelFacts, evaluate
from tests.kits.decision_contexts import context

ARTEFACT = Artefact(role="binary", path="/tmp/x", hash=ArtefactHash.MATCHES, origin=Origin.ADDED, kept=True)


def test_facts_come_back_as_they_were_stored() -> None:
    """A case that is resumed knows what it knew."""
    told = Inspection(artefact=ARTEFACT, compiler=Compiler(present=True, path="/usr/bin/gcc", artefacts=2))
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(told)), Inspection) == told


@pytest.mark.parametrize(
    ("condition", "known", "unknown"),
    [
        ('artefact.hash == "matches"', "matched", "condition_artefact_missing"),
        ('artefact.hash != "matches"', "condition_differs", "condition_artefact_missing"),
        ('artefact.origin == "added" && artefact.kept', "matched", "condition_artefact_missing"),
        ("compiler.present", "condition_present_missing", "condition_compiler_missing"),
        ("!compiler.present", "condition_present_missing", "condition_compiler_missing"),
    ],
)
def test_what_is_not_known_satisfies_nothing(condition: str, known: str, unknown: str) -> None:
    """Before a look neither a condition nor its negation holds; nor does one about what a look could not read."""
    looked = context(artefact=ARTEFACT, compiler=Compiler())
    assert evaluate(condition, CelFacts(looked)) == known
    assert evaluate(condition, CelFacts(context())) == unknown
