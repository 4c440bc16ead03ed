"""Words that say why: each means something, and a name completes some."""

from __future__ import annotations

import msgspec
import pytest

from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.words import Trait
from scc_responder.domain.value import Value


class Stored(Value, frozen=True, kw_only=True):
    """A record with a reason."""

    reason: Reason


def test_every_word_has_a_meaning() -> None:
    """A short one, in plain words, and no two words say the same."""
    meanings = [reason.meaning for reason in Reason]
    assert [meaning for meaning in meanings if not meaning or meaning.endswith(".")] == []
    assert len(set(meanings)) == len(meanings)


def test_a_word_is_the_name_in_small_letters() -> None:
    """So that who greps for a stored word finds every place that says it."""
    plain = [reason for reason in Reason if "{}" not in reason]
    assert [reason for reason in plain if reason != reason.name.lower()] == []
    assert len(plain) > 200


COMPLETED = [
    ("exempt:payments", Reason.EXEMPT, "payments"),
    ("needs_capture_evidence", Reason.NEEDS, "capture_evidence"),
    ("when_node_pool_differs", Reason.WHEN_DIFFERS, "node_pool"),
    ("when_labels_missing", Reason.WHEN_MISSING, "labels"),
    ("unless_namespace", Reason.UNLESS, "namespace"),
    ("unless_node_pool_missing", Reason.UNLESS_MISSING, "node_pool"),
    ("identity_not_proved:image_differs", Reason.IDENTITY_NOT_PROVED, "image_differs"),
    ("mode_lowered_by:night", Reason.MODE_LOWERED_BY, "night"),
    ("scc_permission_denied", Reason.SCC, "permission_denied"),
]


@pytest.mark.parametrize(("text", "word", "detail"), COMPLETED)
def test_a_completed_word_is_read_as_it_was_made(text: str, word: Reason, detail: str) -> None:
    """It is the same text, word and name, made here or read from a record."""
    for reason in (word.of(detail), Reason.read(text)):
        assert reason is not None
        assert (str(reason), reason.word, reason.detail, reason.meaning) == (text, word, detail, word.meaning)
        assert reason == text
        assert reason.traits == word.traits


@pytest.mark.parametrize("text", [reason for reason in Reason if "{}" not in reason])
def test_a_plain_word_is_read_as_itself(text: str) -> None:
    """No word is taken for another that a name completes: `condition_error`, `needs_`."""
    found = Reason.read(text)
    assert found is not None
    assert (found.word, found.detail) == (found, "")


def test_a_reason_is_stored_as_its_text() -> None:
    """A record has the text alone; one of a later version may have a word that this one does not know."""
    record = Stored(reason=Reason.EXEMPT.of("payments"))
    assert msgspec.json.encode(record) == b'{"reason":"exempt:payments"}'
    assert msgspec.json.decode(msgspec.json.encode(record), type=Stored) == record
    assert Reason.read("a_word_of_a_later_version") is None


TRAITS = {
    Trait.ALREADY: {
        "already",
        "already_annotated",
        "already_at_zero",
        "already_cordoned",
        "already_detached",
        "already_internal",
        "already_labeled",
        "already_restarted",
        "already_retired",
        "already_undone",
        "execution_ended",
        "no_public_invokers",
    },
    Trait.UNREAD: {
        "budgets_unread",
        "cloud_run_{}",
        "cluster_unread",
        "deadline",
        "iam_policy_unread",
        "node_pool_unread",
        "node_unreadable",
        "principal_unread",
        "volumes_unread",
        "workload_unread",
    },
    Trait.MISSING: {"condition_{}_missing", "mode_not_raised", "unless_{}_missing", "when_{}_missing"},
    Trait.LEFT_OUT: {"no_collector_image"},
    Trait.ANEW: {"service_changed", "service_deployed"},
}


@pytest.mark.parametrize(("trait", "words"), TRAITS.items())
def test_a_trait_is_of_these_words_alone(trait: Trait, words: set[str]) -> None:
    """What callers ask of a reason is so of these, and of no others."""
    assert {reason for reason in Reason if trait in reason.traits} == words


def test_what_lasts_and_what_is_beyond_reach_differ() -> None:
    """A name that cannot be asked for is both: no later delivery can read it, and none has to try."""
    both = {reason for reason in Reason if reason.is_lasting and reason.is_beyond_reach}
    assert both == {Reason.INVALID_NAME}
    assert Reason.UNUSABLE_ANSWER.is_lasting
    assert Reason.CLUSTER_NOT_FOUND.is_beyond_reach
