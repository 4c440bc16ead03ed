"""Parts of a condition that exclude each other, or of which one always holds."""

from __future__ import annotations

import pytest

from scc_responder.workbench.policies.meaning.contradictions import contradiction
from scc_responder.workbench.policy_files.condition_tree import condition_tree

NONE = [
    'pod.namespace == "a" && pod.name == "b"',
    'pod.namespace == "a" || pod.namespace == "b"',
    'pod.namespace != "a" && pod.namespace != "b"',
    'pod.namespace in ["a", "b"] && pod.namespace in ["b", "c"]',
    'pod.labels["a"] == "x" && pod.labels["b"] == "y"',
    'pod.namespace == "a" && pod.namespace != "b"',
    'pod.namespace != "a" || pod.name != "a"',
    "pod.ready && !pod.host_network",
    "pod.ready || pod.host_network",
    "live.workload.ready > 3 && live.workload.ready < 5",
    "live.workload.ready >= 3 && 3 >= live.workload.ready",
    "finding.agent.score > 0.2 && finding.agent.score < 0.3",
    "live.workload.ready < 3 || live.workload.ready > 3",
    "live.workload.ready > 3 && live.workload.replicas < 3",
]
SOME = [
    ('pod.namespace == "a" && pod.namespace == "b"', "pod.namespace is never both 'a' and 'b'"),
    ('pod.name == "x" && pod.namespace == "a" && "b" == pod.namespace', "never both 'a' and 'b'"),
    ('pod.namespace in ["a", "b"] && pod.namespace == "c"', "never both 'a' or 'b' and 'c'"),
    ('pod.labels["a"] == "x" && pod.labels["a"] == "y"', "pod.labels['a'] is never both"),
    ('pod.namespace == "a" && pod.namespace != "a"', "asked to be 'a', and not to be"),
    ('pod.namespace != "a" || pod.namespace != "b"', "always holds: pod.namespace is never both 'a' or 'b'; write &&"),
    ("pod.ready && !pod.ready", "pod.ready is never both True and False"),
    ("!pod.ready || pod.ready", "this always holds: pod.ready is never both"),
    ("pod.ready && pod.ready == false", "pod.ready is never both True and False"),
    (
        "live.workload.ready > 5 && live.workload.ready < 3",
        "live.workload.ready is never 6 or more and 2 or less at once",
    ),
    ("live.workload.ready > 3 && live.workload.ready < 4", "is never 4 or more and 3 or less at once"),
    ("2 >= live.workload.ready && live.workload.ready == 3", "is never 3 or more and 2 or less at once"),
    (
        "live.workload.ready < 5 || live.workload.ready >= 3",
        "this always holds: live.workload.ready is never 5 or more",
    ),
]


@pytest.mark.parametrize("expression", NONE)
def test_what_can_hold_together(expression: str) -> None:
    """Nothing is said of it."""
    assert contradiction(condition_tree(expression)) == ""


@pytest.mark.parametrize(("expression", "told"), SOME)
def test_what_can_never_hold_together(expression: str, told: str) -> None:
    """The fact is named, with what is asked of it."""
    assert told in contradiction(condition_tree(expression))
