"""A variable has its form, or the error names it with the form in words."""

from __future__ import annotations

import re

import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.settings.given_settings import listed_setting, needed_setting, optional_setting

FORM = re.compile("[a-z]+")


def test_items_are_taken_one_by_one() -> None:
    """White space around them is let be; where there are none the default counts."""
    assert listed_setting({"places": " a, bc ,"}, "places", FORM, "names") == ("a", "bc")
    assert listed_setting({}, "places", FORM, "names", default=("z",)) == ("z",)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "SCC_RESPONDER_PLACES is not set; give names"),
        ({"places": "a,B"}, "SCC_RESPONDER_PLACES: 'B' is not names"),
    ],
)
def test_a_wrong_list_is_named(given: dict[str, str], told: str) -> None:
    """By its variable, the item and what is expected."""
    with pytest.raises(SettingsError, match=re.escape(told)):
        listed_setting(given, "places", FORM, "names")


@pytest.mark.parametrize("take", [needed_setting, optional_setting])
def test_a_wrong_value_is_named(take: type) -> None:
    """Also where it may be left out."""
    assert take({"place": "a"}, "place", FORM, "a name") == "a"
    with pytest.raises(SettingsError, match="SCC_RESPONDER_PLACE: 'a b' is not a name"):
        take({"place": "a b"}, "place", FORM, "a name")


def test_an_empty_value_may_be_left_out() -> None:
    """As deployment tools leave it; where it is needed it is refused."""
    assert optional_setting({"place": ""}, "place", FORM, "a name") == ""
    with pytest.raises(SettingsError):
        needed_setting({"place": ""}, "place", FORM, "a name")
