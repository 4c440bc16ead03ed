"""Patterns that reach less deep than they look: told with the pattern that reaches as deep as was meant."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.policy.guardrails import Acceptable
from scc_responder.policy.match import Match
from scc_responder.workbench.policies.meaning.image_depth import shallow_patterns


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"image": "*"}, "named without a registry: * never crosses a /; write **"),
        ({"image": "nginx*"}, "or **/nginx* for any registry"),
        (
            {"image": "europe-docker.pkg.dev/*"},
            "fits no image there: * never crosses a /; write europe-docker.pkg.dev/**",
        ),
        ({"image": ("a/b", "eu-docker.pkg.dev/p/r*")}, "write eu-docker.pkg.dev/p/**"),
        ({"image": "registry.example.com/shop**"}, "in 'registry.example.com/shop**' it is the same as *"),
        ({"namespace": "team-**"}, "in 'team-**' it is the same as *"),
    ],
)
def test_what_reaches_less_deep(given: dict[str, Any], told: str) -> None:
    """One warning, at the field."""
    (mistake,) = shallow_patterns(Match(**given), ("when",))
    assert told in mistake.text
    assert (mistake.path, mistake.reason) == (("when", *given), Acceptable.SHALLOW_PATTERN)


@pytest.mark.parametrize(
    "given",
    [
        {"image": "**"},
        {"image": "europe-docker.pkg.dev/example-project/**"},
        {"image": "europe-docker.pkg.dev/example-project/shop/*"},
        {"image": "registry.example.com/*"},
        {"image": "nginx:1.27"},
        {"namespace": "team-*", "labels": {"a": "b**"}},
    ],
)
def test_what_reaches_as_deep_as_it_looks(given: dict[str, Any]) -> None:
    """Nothing is said of it."""
    assert list(shallow_patterns(Match(**given), ("when",))) == []
