"""The labels by which the responder's work is recognised, and which keys a policy may write."""

from __future__ import annotations

import pytest

from scc_responder.domain.labels import case_labels, isolating_label, refused_keys, refused_values


def test_a_case_and_a_pod_have_their_labels() -> None:
    """The case by the beginning of its finding's key, the pod by its UID."""
    assert case_labels("ab" * 32) == {"scc-responder/case": "ab" * 6, "scc-responder/case-" + "ab" * 6: ""}
    assert isolating_label("uid") == {"scc-responder/isolated-pod": "uid"}


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("scc-responder/team", ""),
        ("example.com/team", ""),
        ("app", "does not start with"),
        ("scc-responder/case", "is written by the responder itself"),
        ("scc-responder/case-0123456789ab", "is written by the responder itself"),
        ("scc-responder/isolated-pod", "is written by the responder itself"),
        ("scc-responder/pod-uid", "is written by the responder itself"),
        ("scc-responder/own", "is written by the responder itself"),
        ("scc-responder/", "is no key that Kubernetes accepts"),
        ("scc-responder/-a", "is no key that Kubernetes accepts"),
        ("scc-responder/" + "a" * 64, "is no key that Kubernetes accepts"),
    ],
)
def test_only_our_keys_and_listed_ones_are_written(key: str, told: str) -> None:
    """The sentence names the field and the key; none means that it may be written."""
    refused = refused_keys({key: "x"}, ["example.com/team"], "labels", ["scc-responder/own"])
    assert told in (refused.sentence if refused else "")
    assert bool(refused) == bool(told)


@pytest.mark.parametrize(
    ("value", "accepted"),
    [("", True), ("a", True), ("a.b_c-1", True), ("-a", False), ("a b", False), ("a" * 64, False)],
)
def test_a_label_value_is_what_kubernetes_takes(value: str, accepted: bool) -> None:
    """At most 63 characters of few kinds."""
    assert (refused_values({"k": value}) is None) is accepted
