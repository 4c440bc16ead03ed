"""What a person can do about what was left undone: for each reason at least a word, mostly commands."""

from __future__ import annotations

import argparse
import shlex
from importlib import import_module

import pytest

from scc_responder.domain.reasons.remedies import REMEDIES, Remedy, place_option, remedies
from scc_responder.domain.reasons.words import Trait

CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
NAMES = {"case": "0123456789ab", "action": "delete_pod", "policy": "contain", "detail": "0123456789ab", "store": "s.db"}
ROWS = [
    ("limit_owner", [Remedy.DO]),
    ("finding_too_old", [Remedy.DO]),
    ("storm_breaker", [Remedy.RESET, Remedy.RESUME]),
    ("cluster_paused", [Remedy.UNPAUSE]),
    ("exempt:0123456789ab", [Remedy.END_EXEMPTION, Remedy.RESUME]),
    ("exempt:payments", [Remedy.RESUME]),
    ("namespace_protected", [Remedy.RESUME]),
    ("pod_replaced", [Remedy.BY_HAND]),
    ("needs_isolate_pod", []),
    ("of_a_later_version", [Remedy.RESUME]),
]


@pytest.mark.parametrize(("reason", "expected"), ROWS)
def test_what_to_do_about_a_reason(reason: str, expected: list[Remedy]) -> None:
    """Also about one that this version does not know. An exemption of the guardrails is ended in their file."""
    assert [*remedies(reason)] == expected


@pytest.mark.parametrize("remedy", [each for each in Remedy if each.startswith("scc-responder")])
def test_each_command_is_one_that_its_parser_takes(remedy: Remedy) -> None:
    """With the names filled in, nothing that it requires is missing."""
    _, command, *given = shlex.split(remedy.typed(place=place_option(CLUSTER), **NAMES))
    parser = argparse.ArgumentParser()
    import_module(f"scc_responder.cli.{command}").add_options(parser)
    parser.parse_args(given)


def test_a_name_that_is_not_given_is_a_word_to_replace() -> None:
    """No command has a gap."""
    for remedy in Remedy:
        assert not {"{", "}"} & {*remedy.typed()}
        assert remedy.sentence().endswith(f", then: {remedy.typed()}")


def test_what_yields_to_a_person_can_be_asked_for() -> None:
    """`case do` is named for no reason that it refuses."""
    asked = {reason for reason, found in REMEDIES.items() if Remedy.DO in found}
    assert asked
    assert all(Trait.YIELDS in reason.traits for reason in asked)


def test_no_reason_has_two_answers() -> None:
    """What is for a person's hands alone has no command in the table."""
    assert [reason for reason in REMEDIES if reason.is_by_hand] == []


@pytest.mark.parametrize(
    ("place", "option"),
    [
        (CLUSTER, f"--cluster {CLUSTER}"),
        ("projects/example-project", "--project example-project"),
        ("environments/development", "--environment development"),
    ],
)
def test_a_place_is_named_by_its_option(place: str, option: str) -> None:
    """Each kind of place has an option of its own."""
    assert place_option(place) == option
