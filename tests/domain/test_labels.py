"""The labels by which the responder's work is recognised."""

from __future__ import annotations

from scc_responder.domain.labels import case_labels, isolating_label, without_own


def test_a_case_and_a_pod_have_their_labels() -> None:
    """The case by the beginning of its finding's key, the pod by its UID."""
    assert case_labels("ab" * 32) == {"scc-responder/case": "ab" * 6, "scc-responder/case-" + "ab" * 6: ""}
    assert isolating_label("uid") == {"scc-responder/isolated-pod": "uid"}


def test_what_it_writes_itself_is_no_label_of_others() -> None:
    """Its own keys are left out where a pod's labels are compared, whichever case they are of."""
    own = {**case_labels("ab" * 32), **isolating_label("uid")}
    assert without_own({**own, "app": "web", "scc-responder/team": "x"}) == {"app": "web", "scc-responder/team": "x"}
