"""What a row of the catalogue of threats has to be: a zip is made of no other."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.intake.threats import UNKNOWN, catalogue
from scc_responder.workbench.deployment.catalogue_check import read_catalogue

GOOD = msgspec.to_builtins(catalogue()[0])


def test_a_good_row_is_read() -> None:
    """Adding a category is one row."""
    added = {**GOOD, "name": "brand_new", "category": "Execution: Brand New", "rule_id": "BRAND_NEW"}
    assert [row.name for row in read_catalogue(msgspec.json.encode([GOOD, added]))] == [GOOD["name"], "brand_new"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": "Added Binary"}, "name is not snake_case"),
        ({"name": UNKNOWN}, "name is not snake_case"),
        ({"category": "  "}, "category is empty"),
        ({"detector": "container-threat-detection"}, "detector is none of"),
        ({"surface": "vm"}, "surface is none of"),
        ({"kind": "heuristic"}, "kind is none of"),
        ({"confidence": "certain"}, "confidence is none of"),
        ({"kind": "ioc"}, "an ioc is confirmed"),
        ({"confidence": "confirmed"}, "an ioc is confirmed"),
        ({"severity": "Low"}, "severity is none of"),
        ({"techniques": ["ESCAPE_TO_HOST"]}, "a technique is no MITRE id"),
        ({"techniques_inferred": ["T1105"]}, "stated and inferred at once"),
        ({"tactic": "execution"}, "tactic is no MITRE id"),
        ({"runbook": "http://example.com"}, "runbook is no page"),
        ({"meaning": ""}, "meaning or fields is empty"),
        ({"sverity": "LOW"}, "unknown field"),
        ({"name": 3}, "Expected `str`"),
    ],
)
def test_a_bad_row_is_refused(changes: dict[str, Any], fault: str) -> None:
    """The loader names the row and what is wrong with it."""
    with pytest.raises(SettingsError, match=fault):
        read_catalogue(msgspec.json.encode([{**GOOD, **changes}]))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"category": "Another"}, "name is taken"),
        ({"name": "another"}, "another row for the category"),
        (
            {"name": "another", "category": "Another", "aliases": [GOOD["category"].upper()]},
            "another row for the category",
        ),
    ],
)
def test_rows_that_collide_are_refused(changes: dict[str, Any], fault: str) -> None:
    """One name, one threat; one category of a detector, one row."""
    with pytest.raises(SettingsError, match=fault):
        read_catalogue(msgspec.json.encode([GOOD, {**GOOD, **changes}]))


def test_the_catalogue_of_the_package_makes_sense() -> None:
    """What the function reads without looking is what was looked at here, and when its zip was made."""
    assert read_catalogue(msgspec.json.encode(catalogue())) == catalogue()
