"""Each alert goes off by the lines of what a person has to do, and says in words that exist what to do first."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.docs.command_lines import mistakes
from tests.terraform.checking import ROOT, OwnTests, State
from tests.terraform.log_entries import WrittenLines, entry, extract
from tests.terraform.promises import of_type
from tests.terraform.written_lines import Lines

ALERT = "google_monitoring_alert_policy"
NEEDS_A_PERSON = {
    *("held", "access lost", "not onboarded", "expired"),
    *("to be approved", "to be rejected", "failed"),
}
MATCHED = {
    "case": NEEDS_A_PERSON,
    "config_changed": {"config changed", "config gone", "config unread"},
    "no_finding": {"no finding for long"},
    "notice_undeliverable": {"notice undeliverable"},
}
"""What each alert that goes by a line itself tells of."""


@pytest.fixture(scope="module")
def state(tested: OwnTests) -> State:
    """What is made for an organisation."""
    return tested.states()["scopes/organization"]


def matched(state: State, name: str) -> dict[str, Any]:
    """The condition of an alert that goes by a line."""
    (condition,) = state[f'{ALERT}.match["{name}"]']["conditions"][0]["condition_matched_log"]
    return dict(condition)


@pytest.mark.parametrize("name", MATCHED)
def test_a_line_that_needs_a_person_is_told(state: State, told: WrittenLines, name: str) -> None:
    """No other line is: not what was done, rehearsed or answered, nor a copy of it."""
    assert told.chosen(matched(state, name)["filter"]) == MATCHED[name]


def test_every_match_is_tried(state: State) -> None:
    """There is a row for each."""
    assert {f'{ALERT}.match["{name}"]' for name in MATCHED} == {
        one for one in state if one.startswith(f"{ALERT}.match")
    }


@pytest.mark.parametrize("name", MATCHED)
def test_what_is_named_stands_in_the_line(state: State, lines: Lines, name: str) -> None:
    """Each label is taken from a field that each of these lines has, and the text uses no other."""
    (documented,) = state[f'{ALERT}.match["{name}"]']["documentation"]
    extractors = matched(state, name)["label_extractors"]
    for about in MATCHED[name]:
        assert {
            label: bool(extract(field, entry(lines[about]))) for label, field in extractors.items()
        } == dict.fromkeys(extractors, True), about
    text = f"{documented['subject']} {documented['content']}"
    assert set(re.findall(r"\$\{log\.extracted_label\.(\w+)\}", text)) == extractors.keys()
    assert text.count("$") == text.count("${log.extracted_label.")


def documentation(state: State) -> dict[str, str]:
    """What each alert says, by its name."""
    return {one["display_name"].partition(": ")[2]: one["documentation"][0]["content"] for one in of_type(state, ALERT)}


def test_each_says_what_to_type_first(state: State) -> None:
    """It is one command that there is, with every option that it takes, and with the names of this deployment."""
    for name, text in documentation(state).items():
        (command,) = re.findall(r"\n```sh\n(.*)\n```\n", text)
        here = re.sub(r"\$\{log\.extracted_label\.\w+\}", "0123456789ab", command)
        assert [*mistakes(here)] == [], name
        assert re.match(
            r"scc-responder .*--store firestore://example-project/|gcloud .*(example-project|123)( |$)", here
        ), name


def test_each_leads_to_a_section_of_a_page(state: State) -> None:
    """It says where to read on, and there is such a section."""
    for name, text in documentation(state).items():
        page, anchor = re.findall(r"\nThen read: (terraform/docs/[a-z-]+\.md)#([a-z-]+)\n$", text)[0]
        titles = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.MULTILINE)
        assert anchor in {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}, name
