"""A mistake in a file is told with its place, as its author would write it."""

from __future__ import annotations

import pytest

from scc_responder.workbench.policy_files.mistakes import (
    DocumentPath,
    Fault,
    closest,
    did_you_mean,
    expected,
    refusal,
    written,
)


@pytest.mark.parametrize(
    ("path", "expected_text"),
    [
        ((), ""),
        (("then", 0, "action"), "then[0].action"),
        (("labels", "example.com/a"), "labels['example.com/a']"),
        ((3,), "[3]"),
    ],
)
def test_a_place_is_written_like_code(path: DocumentPath, expected_text: str) -> None:
    """Keys by dots, places in lists by number, and whatever is no word in quotes."""
    assert written(path) == expected_text


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(file="a.yaml", text="empty"), "a.yaml: empty"),
        (Fault(file="a.yaml", line=3, path="mode", text="wrong"), "a.yaml:3: mode: wrong"),
        (Fault(file="a.yaml", line=3, text="wrong", detail="x ==\n  ^"), "a.yaml:3: wrong\n    x ==\n      ^"),
    ],
)
def test_a_fault_reads_as_one_line(fault: Fault, text: str) -> None:
    """File, line and place go first; what is shown below is indented."""
    assert str(fault) == text


def test_a_refusal_tells_every_fault() -> None:
    """Its reason is the first one's; the faults can be read one by one."""
    faults = [Fault(file="a.yaml", text="one", reason="unknown_action"), Fault(file="b.yaml", text="two")]
    error = refusal(faults)
    assert (error.reason, str(error), error.faults) == ("unknown_action", "a.yaml: one\nb.yaml: two", tuple(faults))


def test_the_closest_word_is_offered() -> None:
    """Whatever its case; a word that is like none has none."""
    assert closest("Delete_Pods", ["delete_pod", "notify"]) == "delete_pod"
    assert did_you_mean("xyz", ["notify"]) == ""
    assert expected("notfy", ["notify"]) == "expected one of notify; did you mean 'notify'?"
