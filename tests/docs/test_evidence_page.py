"""docs/evidence.md: the sources, the facts and the words are the package's own."""

from __future__ import annotations

import re

import msgspec
import pytest

from scc_responder.domain.kubernetes.container_facts import Artefact, ArtefactHash, Compiler, Origin
from scc_responder.domain.reasons import Reason
from tests.docs import evidence

PAGE = evidence.PAGE.read_text()


def test_the_table_of_sources_is_what_they_declare() -> None:
    """python -m tests.docs.evidence writes it again."""
    assert evidence.written(PAGE) == PAGE


@pytest.mark.parametrize(("name", "kind"), [("artefact", Artefact), ("compiler", Compiler)])
def test_every_fact_is_explained(name: str, kind: type[msgspec.Struct]) -> None:
    """Each field that a condition may name stands on the page, and no other."""
    assert set(re.findall(rf"`{name}\.(\w+)`", PAGE)) == set(kind.__struct_fields__)


def test_every_word_of_a_fact_is_explained() -> None:
    """Each value that a fact can have stands on the page."""
    assert [word for word in (*ArtefactHash, *Origin) if f"`{word}`" not in PAGE] == []


def test_the_words_of_a_look_are_reasons() -> None:
    """What the page says that a look came to is what a case says."""
    named = {"inspected", "inspected_gone", "defends_itself", "needs_inspect_container"}
    assert all(f"`{word}" in PAGE and Reason.read(word) for word in named)
