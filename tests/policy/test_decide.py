"""Every condition of a policy: when it holds, when not, and that missing data satisfies neither `when` nor `unless`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.finding import CloudRunTarget, FindingContainer
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision, decide, match
from scc_responder.policy.match import FIELDS, Match
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.decision_contexts import FINDING, THREAT, context
from tests.kits.responder import policy as written
from tests.kits.responder import write_policies

NO_POD: dict[str, Any] = {"pod": False}
CONTAINERS = (FindingContainer(name="app", image="registry.example.com/web:1"), FindingContainer(name="side"))
CASES: list[Any] = [
    ("threat", "reverse_shell", "reverse_*", "added_*", None),
    ("category", "Reverse Shell", "reverse  SHELL", "Added*", {"finding": {"category": ""}}),
    ("detector", "container_threat_detection", "container_*", "event_*", {"threat": replace(THREAT, detector="")}),
    ("kind", "behavioral", ("ioc", "behavioral"), "ioc", {"threat": replace(THREAT, kind="")}),
    ("surface", "pod", "p?d", "node", {"threat": replace(THREAT, surface="")}),
    (
        "cluster",
        "projects/example-project/locations/europe-west1/clusters/prod-1",
        "projects/*/locations/*/clusters/prod-*",
        "projects/*/clusters/prod-1",
        {"finding": {"cluster": None}},
    ),
    ("project", "example-project", "example-*", "other-*", {"finding": {"cluster": None}}),
    ("namespace", "shop", "sh*", "kube-*", {"pod": False, "finding": {"pods": ()}}),
    ("workload", "Deployment/web", "Deployment/*", "StatefulSet/*", NO_POD),
    ("labels", {"app": "web"}, {"app": "w*"}, {"app": "db"}, NO_POD),
    (
        "image",
        FINDING.containers[0].image,
        "europe-docker.pkg.dev/*/shop/*",
        "europe-docker.pkg.dev/*",
        {"finding": {"containers": ()}},
    ),
    ("node_pool", "pool-1", "pool-*", "gpu-*", {"node": None}),
]


def policy_of(when: Match = Match(threat="*"), unless: Match = Match()) -> Policy:  # noqa: B008 - frozen
    """A policy of these conditions."""
    return Policy(name="p", description="", owner="", mode=Mode.ENFORCE, when=when, unless=unless, then=())


def each(index: int) -> list[Any]:
    return [pytest.param(case[0], case[index], id=case[0]) for case in CASES]


@pytest.mark.parametrize(("field", "wanted"), each(1) + each(2))
def test_a_condition_holds_by_word_or_pattern(field: str, wanted: Any) -> None:
    """A condition holds by the very word and by a pattern."""
    assert match(context(), policy_of(Match(**{field: wanted}))) == "matched"


@pytest.mark.parametrize(("field", "wanted"), each(3))
def test_a_failing_condition_is_named(field: str, wanted: Any) -> None:
    """A condition that does not hold is named."""
    assert match(context(), policy_of(Match(**{field: wanted}))) == f"when_{field}_differs"


@pytest.mark.parametrize(("field", "wanted"), each(2))
def test_a_holding_exception_prevents_the_match(field: str, wanted: Any) -> None:
    """An exception that holds keeps the policy from matching."""
    assert match(context(), policy_of(unless=Match(**{field: wanted}))) == f"unless_{field}"


@pytest.mark.parametrize(("field", "wanted"), each(3))
def test_a_failing_exception_changes_nothing(field: str, wanted: Any) -> None:
    """An exception that does not hold changes nothing."""
    assert match(context(), policy_of(unless=Match(**{field: wanted}))) == "matched"


MISSING = [pytest.param(case[0], case[2], case[4], id=case[0]) for case in CASES if case[4] is not None]


@pytest.mark.parametrize(("field", "wanted", "changes"), MISSING)
def test_missing_satisfies_nothing(field: str, wanted: Any, changes: dict[str, Any]) -> None:
    """What is not known satisfies neither a condition nor the absence of an exception."""
    found = context(**changes)
    asked = Match(**{field: wanted})
    assert match(found, policy_of(asked)) == f"when_{field}_missing"
    assert match(found, policy_of(unless=asked)) == f"unless_{field}_missing"


SEVERITIES = [
    pytest.param("CRITICAL", "HIGH", "matched", id="more"),
    pytest.param("HIGH", "HIGH", "matched", id="the-same"),
    pytest.param("MEDIUM", "HIGH", "when_severity_differs", id="less"),
    pytest.param("", "LOW", "when_severity_missing", id="none"),
    pytest.param("BRAND_NEW", "LOW", "when_severity_missing", id="unknown"),
]


@pytest.mark.parametrize(("found", "wanted", "expected"), SEVERITIES)
def test_a_severity_means_at_least(found: str, wanted: Any, expected: str) -> None:
    """A severity means at least that."""
    assert match(context(threat=replace(THREAT, severity=found)), policy_of(Match(severity=wanted))) == expected


CONFIDENCE = [
    pytest.param("likely", ("likely", "confirmed"), (), "matched", id="read"),
    pytest.param("likely", "confirmed", (), "when_confidence_differs", id="read-and-less"),
    pytest.param("likely", ("likely", "confirmed"), None, "matched", id="unread-and-at-least-that"),
    pytest.param("likely", "likely", None, "when_confidence_missing", id="unread-and-perhaps-more"),
    pytest.param("likely", "possible", None, "when_confidence_differs", id="unread-and-never-less"),
    pytest.param("confirmed", "confirmed", None, "matched", id="unread-and-the-most"),
]


@pytest.mark.parametrize(("known", "wanted", "related", "expected"), CONFIDENCE)
def test_unread_findings_leave_confidence_uncertain(known: str, wanted: Any, related: Any, expected: str) -> None:
    """Related findings that could not be read might have raised the confidence: it is only at least what it is."""
    found = context(threat=replace(THREAT, confidence=known), related=related)
    assert match(found, policy_of(Match(confidence=wanted))) == expected


RUN = CloudRunTarget(kind="service", project="example-project", location="l", name="s")
ON_RUN: dict[str, Any] = {"finding": {"cluster": None, "cloud_run": RUN}}
OTHERS = [
    pytest.param(
        {"principal": "*@example.com"}, {"finding": {"principal": "a@example.com"}}, "matched", id="principal"
    ),
    pytest.param({"principal": "*"}, {}, "when_principal_missing", id="no-principal"),
    pytest.param({"labels": {"tier": "*"}}, {}, "when_labels_differs", id="label-not-there"),
    pytest.param(
        {"labels": {"app": "web", "x": "y"}}, {"pod": {"labels": {"app": "web", "x": "y"}}}, "matched", id="both"
    ),
    pytest.param({"namespace": "shop"}, {"pod": False}, "matched", id="namespace-of-a-pod-that-is-gone"),
    pytest.param({"workload": "*"}, {"pod": {"owners": ()}}, "when_workload_missing", id="standalone"),
    pytest.param(
        {"workload": "ReplicaSet/*"}, {"missing": {"owner": "timeout"}}, "when_workload_missing", id="half-a-chain"
    ),
    pytest.param({"image": "*/web:1"}, {"finding": {"containers": CONTAINERS}}, "matched", id="one-of-the-images"),
    pytest.param(
        {"image": "*/db:1"}, {"finding": {"containers": CONTAINERS}}, "when_image_missing", id="perhaps-the-other-image"
    ),
    pytest.param(
        {"project": "example-project"},
        ON_RUN,
        "matched",
        id="cloud-run-project",
    ),
    pytest.param({"location": "l", "service": "*"}, ON_RUN, "matched", id="cloud-run-service"),
    pytest.param({"service": "t"}, ON_RUN, "when_service_differs", id="other-cloud-run-service"),
    pytest.param({"service": "*"}, {}, "when_service_missing", id="a-pod-is-no-service"),
    pytest.param({"location": "europe-west1"}, {}, "matched", id="location-of-the-cluster"),
    pytest.param({"threat": "*", "surface": "node", "kind": "ioc"}, {}, "when_kind_differs", id="the-first-in-order"),
]


@pytest.mark.parametrize(("when", "changes", "expected"), OTHERS)
def test_less_common_facts_are_matched(when: dict[str, Any], changes: dict[str, Any], expected: str) -> None:
    """What conditions make of less common facts."""
    assert match(context(**changes), policy_of(Match(**when))) == expected


def test_every_field_is_tested() -> None:
    """Each condition that a policy can give stands in a table above."""
    listed = {case[0] for case in CASES} | {"severity", "confidence", "principal", "location", "service"}
    assert listed == set(FIELDS)


def test_a_disabled_policy_never_matches() -> None:
    """A disabled policy is not even matched."""
    disabled = replace(policy_of(), mode=Mode.DISABLED)
    found = decide(context(), (disabled,))
    assert (found.policies[0].reason, found.reason) == ("mode_disabled", "no_policy_matched")


def test_a_step_keeps_its_variant(tmp_path: Path) -> None:
    """What a policy asks for names the step, whatever was read: a later delivery must recognise it."""
    folder = write_policies(tmp_path / "p", written("isolate_pod", "label_pod {labels: {scc-responder/a: b}}"))
    policies = load_policies(folder).policies
    first = decide(context(), policies).policies[0].actions
    later = decide(context(cluster=None, pod=False), policies).policies[0].actions
    assert (
        [item.variant for item in first]
        == [item.variant for item in later]
        == ["{}", '{"labels":{"scc-responder/a":"b"}}']
    )
    assert [item.result for item in later] == ["skipped", "skipped"]


def test_policies_share_what_they_plan_alike(tmp_path: Path) -> None:
    """Steps that ask for the same are one object, in whatever policy; what a step needs is its own."""
    texts = [
        written("isolate_pod", "delete_pod", name="a"),
        written("isolate_pod", "delete_pod", name="b"),
        f"{written('isolate_pod', 'delete_pod', name='c')}    needs: [isolate_pod]\n",
    ]
    policies = load_policies(write_policies(tmp_path / "p", *texts)).policies
    first, second, third = (policy.actions for policy in decide(context(), policies).policies)
    assert first is second
    assert first[0] is third[0]
    assert [step.needs for step in (first[1], third[1])] == [(), ("isolate_pod",)]
    assert replace(third[1], needs=()) == first[1]


def result(*results: str) -> Decision:
    """A decision whose actions came to these results."""
    items = tuple(PlannedAction(action="notify", result=item, reason=item) for item in results)
    return Decision(
        policies=(PolicyDecision(name="p", mode=Mode.ENFORCE, matched=True, reason=Reason.MATCHED, actions=items),)
    )


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        (("held", "planned"), "planned"),
        (("skipped", "held"), "held"),
        (("skipped",), "skipped"),
        ((), "mode_disabled"),
    ],
)
def test_one_word_says_what_happens(results: tuple[str, ...], reason: str) -> None:
    """One word tells what is going to happen, or why nothing is."""
    assert result(*results).reason == reason


MODES = "modes: [{mode: enforce, clusters: [projects/*/locations/*/clusters/prod-*]}]\n"


@pytest.mark.parametrize(
    ("mode", "changes", "expected"),
    [
        ("dry_run", {}, (Mode.ENFORCE, Reason.MATCHED)),
        ("disabled", {}, (Mode.ENFORCE, Reason.MATCHED)),
        ("dry_run", {"finding": {"cluster": replace(FINDING.cluster, name="dev-1")}}, (Mode.DRY_RUN, Reason.MATCHED)),
        ("disabled", {"finding": {"cluster": None}}, (Mode.DISABLED, Reason.MODE_DISABLED)),
    ],
)
def test_a_policy_has_a_mode_of_its_own_in_some_clusters(
    tmp_path: Path, mode: str, changes: dict[str, Any], expected: tuple[Mode, Reason]
) -> None:
    """In all others, and where the cluster is not known, it has its plain mode."""
    loaded = load_policies(write_policies(tmp_path / "policies", written("label_pod", mode=mode) + MODES))
    (decided,) = decide(context(**changes), loaded.policies).policies
    assert (decided.mode, decided.reason) == expected


SHELL, ANY = Match(threat="reverse_shell"), Match(threat="*")


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        pytest.param((), "matched", id="alone"),
        pytest.param(({"when": SHELL},), "answered_by_others", id="answered"),
        pytest.param(({"when": Match(threat="added_*")},), "matched", id="another-threat"),
        pytest.param(({"when": SHELL, "mode": Mode.DISABLED},), "matched", id="only-by-a-disabled-one"),
        pytest.param(({"when": SHELL, "condition": "pod.ready && !pod.ready"},), "matched", id="condition-differs"),
        pytest.param(({"otherwise": True},), "matched", id="beside-another-of-its-kind"),
        pytest.param(({"when": SHELL}, {"otherwise": True}), "answered_by_others", id="two-of-its-kind"),
    ],
)
@pytest.mark.parametrize("first", [False, True], ids=["last", "first"])
def test_the_rest_is_what_no_other_answers(others: tuple[dict[str, Any], ...], reason: str, first: bool) -> None:
    """Wherever it stands, it applies only where no policy without `otherwise` does."""
    rest = replace(policy_of(ANY), name="rest", otherwise=True)
    beside = [replace(policy_of(ANY), name=f"p{number}", **fields) for number, fields in enumerate(others)]
    decision = decide(context(), (rest, *beside) if first else (*beside, rest))
    (decided,) = (one for one in decision.policies if one.name == "rest")
    assert (decided.reason, decided.matched) == (reason, reason == "matched")


def test_the_rest_says_why_it_does_not_apply_itself() -> None:
    """Its own condition is told first."""
    rest = replace(policy_of(Match(threat="added_*")), otherwise=True)
    assert decide(context(), (rest, policy_of(ANY))).policies[0].reason == "when_threat_differs"
