"""Variables of the environment, each checked by the form that it must have."""

from __future__ import annotations

from collections.abc import Mapping

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.text import LatePattern

VARIABLE_PREFIX = "SCC_RESPONDER_"


def listed_setting(
    given: Mapping[str, str], name: str, form: LatePattern[str], expected: str, default: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    """The items of a comma-separated setting, each of the form. Raises SettingsError; without a default also for none.

    `given` has the variables by their names without the prefix, in lower case; `expected` says the form in words.
    """
    items = tuple(item.strip() for item in given.get(name, "").split(",") if item.strip())
    if not items and default is not None:
        return default
    if not items:
        raise SettingsError("missing_setting", f"{VARIABLE_PREFIX}{name.upper()} is not set; give {expected}")
    for item in items:
        if not form.fullmatch(item):
            raise SettingsError("invalid_setting", f"{VARIABLE_PREFIX}{name.upper()}: {item!a} is not {expected}")
    return items


def needed_setting(given: Mapping[str, str], name: str, form: LatePattern[str], expected: str) -> str:
    """A setting of the form. Raises SettingsError."""
    value = given.get(name, "")
    if not form.fullmatch(value):
        raise SettingsError("invalid_setting", f"{VARIABLE_PREFIX}{name.upper()}: {value!a} is not {expected}")
    return value


def optional_setting(given: Mapping[str, str], name: str, form: LatePattern[str], expected: str) -> str:
    """A setting that may be left out, or left empty as deployment tools do. Raises SettingsError."""
    return needed_setting(given, name, form, expected) if given.get(name) else ""
