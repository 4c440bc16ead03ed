"""Who owns a target, as labels and annotations say it, and what routes are chosen by."""

from __future__ import annotations

from scc_responder.domain.context import Namespace
from scc_responder.journal.account.owner_labels import owner_labels, subject_of
from tests.kits.decision_contexts import context


def test_owners_are_named_nearest_first() -> None:
    """Of pod, then namespace; keys count after their prefix, in any case."""
    made = context(
        pod={"labels": {"example.com/Team": "shop", "app": "web"}, "annotations": {"owner": "pat"}},
        namespace=Namespace(name="shop", uid="n1", labels={"team": "platform"}),
    )
    found = list(owner_labels(made))
    assert found == [
        ("example.com/Team", "shop", "pod"),
        ("owner", "pat", "pod"),
        ("team", "platform", "namespace"),
    ]
    assert subject_of(made).owners == ("shop", "pat", "platform")


def test_what_is_too_long_names_nobody() -> None:
    """Of many the first sixteen count, each once."""
    labels = {f"{number}.example.com/team": f"t{number % 20:02}" for number in range(40)}
    made = context(pod={"labels": labels, "annotations": {"owner": "x" * 101}})
    owners = subject_of(made).owners
    assert owners == tuple(f"t{number:02}" for number in range(16))


def test_the_subject_says_where_and_how_severe() -> None:
    """The pod's namespace and the finding's place."""
    made = context()
    assert made.pod is not None
    subject = subject_of(made)
    assert (subject.namespace, subject.cluster) == (made.pod.namespace, made.finding.place)
    assert subject.severity == made.finding.severity
    assert not subject.is_over
