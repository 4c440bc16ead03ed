"""Facts with few values: each of them is accepted, and no other."""

from __future__ import annotations

import pytest

from scc_responder.workbench.policies.meaning.closed_words import CLOSED_WORDS, mitre_numbers, value_mistake
from scc_responder.workbench.policy_files import cel_types


def test_each_is_a_fact_that_conditions_may_name() -> None:
    """A type or field that was renamed would never be looked at."""
    known = {(name, field) for name, fields in cel_types.fields().items() for field in fields}
    assert set(CLOSED_WORDS) <= known


@pytest.mark.parametrize("fact", CLOSED_WORDS)
def test_every_value_and_no_other(fact: tuple[str, str]) -> None:
    """What the fact may be is met with silence."""
    assert [value_mistake(*fact, word) for word in CLOSED_WORDS[fact]()] == [""] * len(CLOSED_WORDS[fact]())
    assert f"{fact[1]} is never 'reverse-shell'" in value_mistake(*fact, "reverse-shell")


@pytest.mark.parametrize(
    ("of", "field", "value", "told"),
    [
        ("Threat", "name", "reverse_shel", "did you mean 'reverse_shell'?"),
        ("Threat", "confidence", "high", "expected one of possible, likely, confirmed"),
        ("Finding", "severity", "HIHG", "did you mean 'HIGH'?"),
        ("Threat", "tactic", "CREDENTIAL_ACCESS", "write 'TA0006'"),
        ("Finding", "mitre_tactic", "TA0006", "write 'CREDENTIAL_ACCESS'"),
        ("Threat", "tactic", "credential access", "it is like 'TA0006'"),
        ("Threat", "detector", "container_threat_detecton", "did you mean 'container_threat_detection'?"),
        ("Pod", "namespace", "Shop", "lower-case letters"),
        ("Pod", "namespace", "team-*", "one whole name"),
        ("ClusterRef", "location", "EU", "a location is like"),
    ],
)
def test_a_value_that_never_is(of: str, field: str, value: str, told: str) -> None:
    """With what to write instead."""
    assert told in value_mistake(of, field, value)


@pytest.mark.parametrize(
    ("of", "field", "value"),
    [
        ("Threat", "tactic", "TA9999"),
        ("Finding", "mitre_tactic", "SOMETHING_NEW"),
        ("Threat", "detector", "my_own_source"),
        ("Pod", "namespace", "shop"),
        ("Pod", "name", "Anything"),
        ("Process", "binary", "/bin/Sh"),
    ],
)
def test_a_value_that_may_be(of: str, field: str, value: str) -> None:
    """What is open, or newer than the tables, is not refused."""
    assert value_mistake(of, field, value) == ""


def test_only_tactics_have_numbers() -> None:
    """Techniques stand in the same table."""
    assert mitre_numbers()["CREDENTIAL_ACCESS"] == "TA0006"
    assert all(number.startswith("TA") for number in mitre_numbers().values())
