"""Conditions and limits that cannot be meant are told with their place."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.actions import AllowedKeys
from scc_responder.actions.annotate_pod import AnnotatePodParams
from scc_responder.actions.label_pod import LabelPodParams
from scc_responder.policy.limits import Limit
from scc_responder.policy.match import Match
from scc_responder.workbench.policy_files.rule_mistakes import (
    VOCABULARIES,
    duration_mistakes,
    limit_mistakes,
    match_mistakes,
    may_be_service,
    parameter_mistakes,
    scope_mistakes,
)


@pytest.mark.parametrize(
    ("match", "path", "told"),
    [
        (Match(threat="revers_shell"), ("when", "threat"), "did you mean 'reverse_shell'?"),
        (Match(threat="nothing*"), ("when", "threat"), "scc-responder threats lists them"),
        (Match(surface=("pod", "pods")), ("when", "surface", 1), "expected one of"),
        (Match(namespace=()), ("when", "namespace"), "empty"),
        (Match(labels={"app": ""}), ("when", "labels"), "empty"),
        (Match(labels={}), ("when", "labels"), "empty"),
        (Match(service="Checkout"), ("when", "service"), "'Checkout' can never match; write a name such as checkout"),
        (Match(service=("a", "services/a")), ("when", "service", 1), "can never match"),
        (Match(service="projects/p/locations/l/clusters/c"), ("when", "service"), "can never match"),
        (Match(service="projects/p/locations/l/services/"), ("when", "service"), "can never match"),
        (Match(service="projects/100000000001/locations/l/jobs/n"), ("when", "service"), "with the project's id, as"),
        (Match(project="100000000001"), ("when", "project"), "give a project's id, as findings name it"),
        (Match(location="Europe"), ("when", "location"), "a location is like europe-west1"),
        (Match(location="locations/europe-west1"), ("when", "location"), "can never match"),
    ],
)
def test_a_condition_that_never_holds_is_a_mistake(match: Match, path: tuple[Any, ...], told: str) -> None:
    """It is told at its place, with the words that there are."""
    (mistake,) = match_mistakes(match, ("when",))
    assert mistake.path == path
    assert told in mistake.text


@pytest.mark.parametrize("name", VOCABULARIES)
def test_every_known_word_is_accepted(name: str) -> None:
    """And so is a pattern that fits one of them."""
    for word in (*VOCABULARIES[name](), "*"):
        assert list(match_mistakes(Match(**{name: word}), ())) == []


@pytest.mark.parametrize(
    ("limit", "field", "told"),
    [
        (Limit(most="0%", within="10m"), "most", "is no share"),
        (Limit(most="101%", within="10m"), "most", "is no share"),
        (Limit(most="many", within="10m"), "most", "is no share"),
        (Limit(most=0, within="10m"), "most", "would allow nothing"),
        (Limit(most=1, within="soon"), "within", "is no duration"),
        (Limit(most=1, within="0m"), "within", "is no time at all"),
    ],
)
def test_a_wrong_limit_names_its_field(limit: Limit, field: str, told: str) -> None:
    """The mistake stands at the field, with what to write."""
    (mistake,) = limit_mistakes(limit, ("limits", 0))
    assert mistake.path == ("limits", 0, field)
    assert told in mistake.text


def test_a_right_limit_has_no_mistake() -> None:
    """The defaults' forms are accepted."""
    assert list(limit_mistakes(Limit(most="25%", within="10m"), ())) == []
    assert list(duration_mistakes("7d", ())) == []


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("projects/p/locations/l/services/s", True),
        ("projects/example.com:shop-*/locations/europe-*/*s/check??t", True),
        ("projects/100000000001/locations/l/services/s", False),
        ("projects/1000*/locations/*/services/*", False),
        ("projects/p/locations/l/services/Checkout", False),
        ("projects/p/locations/EUROPE-west1/services/s", False),
        ("projects/Shop/locations/l/services/s", False),
        ("projects/p/locations/l/services/check out", False),
        ("projects/*/locations/*/jobs/*", True),
        ("projects/*/locations/*/*/n?", True),
        ("projects/p/locations/l/workerPools/w", False),
        ("projects/p/locations/l/services/s/revisions/r", False),
        ("services/s", False),
    ],
)
def test_a_service_pattern_has_six_parts(pattern: str, fits: bool) -> None:
    """What could fit no service or job protects nothing."""
    assert may_be_service(pattern) == fits
    assert (list(match_mistakes(Match(service=pattern), ())) == []) == fits


@pytest.mark.parametrize(
    ("scope", "of", "told"),
    [
        ("service", "services", ""),
        ("service", "pods", "pods are in no service; write services"),
        ("node_pool", "services", "services are in no node pool; write pods, or nodes"),
        ("cluster", "services", "services are in no cluster"),
        *((scope, of, "") for scope in ("project", "organization") for of in ("pods", "nodes", "services")),
        ("cluster", "nodes", ""),
    ],
)
def test_a_limit_counts_what_is_in_its_scope(scope: str, of: Any, told: str) -> None:
    """Another one would never hold."""
    mistakes = [mistake.text for mistake in scope_mistakes(Limit(most=1, of=of, within="1h"), scope, ())]
    assert [told in text for text in mistakes] == ([True] if told else [])


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
        ("scc-responder/finding", "is written by the responder itself"),
        ("scc-responder/", "is no key that Kubernetes accepts"),
        ("scc-responder/-a", "is no key that Kubernetes accepts"),
        ("scc-responder/" + "a" * 64, "is no key that Kubernetes accepts"),
    ],
)
def test_only_our_keys_and_listed_ones_are_written(key: str, told: str) -> None:
    """The sentence names the key; none means that it may be written."""
    allowed = AllowedKeys(annotations=("example.com/team",))
    found = [mistake.text for mistake in parameter_mistakes(AnnotatePodParams(annotations={key: "x"}), allowed, ())]
    assert [told in text for text in found] == [True] * bool(told)


@pytest.mark.parametrize(
    ("value", "accepted"),
    [("", True), ("a", True), ("a.b_c-1", True), ("-a", False), ("a b", False), ("a" * 64, False)],
)
def test_a_label_value_is_what_kubernetes_takes(value: str, accepted: bool) -> None:
    """At most 63 characters of few kinds."""
    params = LabelPodParams(labels={"scc-responder/k": value})
    assert (not list(parameter_mistakes(params, AllowedKeys(), ()))) is accepted
