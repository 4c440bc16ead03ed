"""Whoever runs doctor learns whether the collector's log is copied to Cloud Logging, and what leaves it out."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.doctor.check import OR, CheckResult
from scc_responder.workbench.doctor.collector_checks import EXCLUSION_FILTER, examine_exclusion, examine_images
from tests.docs.command_lines import fix_mistakes
from tests.kits.google.logging_filter import parse_filter
from tests.kits.google.logging_server import line_entry

PROJECT = "example-project"
DENIED = ApiError(Reason.LOGGING.of("permission_denied"), "x", status=403, permission="logging.sinks.get")
AWAY = ApiError(Reason.LOGGING.of("unavailable"), "x", status=503)
TYPE, NAME = EXCLUSION_FILTER.split(" AND ")
AT = "2026-03-02T09:00:00Z"


class Sinks:
    """`LogSinks` that answers, or raises what it is given."""

    def __init__(self, answer: dict[str, str] | ApiError | None) -> None:
        self.answer = answer

    def exclusions(self, project: str) -> dict[str, str] | None:
        """Of this one project."""
        assert project == PROJECT
        if isinstance(self.answer, ApiError):
            raise self.answer
        return self.answer


COVERING = {
    "ours": EXCLUSION_FILTER,
    "without its type": NAME,
    "the other way round": f"{NAME} AND {TYPE}",
    "on two lines": f"{TYPE}\n{NAME}\n",
    "one after the other": f"{TYPE} {NAME}",
    "every container": TYPE,
    "a part of the name": 'resource.labels.container_name:"scc-responder-"',
    "without quotes": "resource.type = k8s_container AND resource.labels.container_name : scc-responder-",
    "by its beginning": 'resource.labels."container_name" =~ "scc-responder-"',
}
NARROWER = {
    "of one cluster": f'{EXCLUSION_FILTER} AND resource.labels.cluster_name="prod-1"',
    "of one role": 'resource.labels.container_name=~"^scc-responder-look-"',
    "but for errors": f"{EXCLUSION_FILTER} AND severity<ERROR",
    "one container": 'resource.labels.container_name="scc-responder-look-0123456789ab"',
    "not ours": 'NOT resource.labels.container_name=~"^scc-responder-"',
    "one of two": f'{EXCLUSION_FILTER} OR severity="DEBUG"',
    "of a pod": 'resource.labels.pod_name:"scc-responder-"',
}


@pytest.mark.parametrize("text", COVERING.values(), ids=COVERING)
def test_an_exclusion_that_covers_ours_is_enough(text: str) -> None:
    """Whoever wrote it, and among others."""
    check = examine_exclusion(Sinks({"debug": "severity=DEBUG", "theirs": text}), PROJECT)
    assert (check.name, check.result, check.why) == ("logs.exclusion", CheckResult.OK, "theirs")


@pytest.mark.parametrize("text", NARROWER.values(), ids=NARROWER)
def test_a_narrower_exclusion_is_not_believed(text: str) -> None:
    """Doctor says that it cannot tell, and how to add one that it can."""
    check = examine_exclusion(Sinks({"theirs": text}), PROJECT)
    assert (check.result, check.reason) == (CheckResult.UNKNOWN, "log_exclusion_unclear")
    assert "theirs" in check.why
    assert "--add-exclusion" in check.fix


OTHERS = {
    "none": ({}, CheckResult.FAULT, "log_exclusion_missing", "Terraform variable exclude_collector_logs"),
    "another": ({"debug": "severity=DEBUG"}, CheckResult.FAULT, "log_exclusion_missing", "sinks update _Default"),
    "the sink is off": (None, CheckResult.OK, "", ""),
    "unseen": (DENIED, CheckResult.UNKNOWN, "permission_missing", "roles/logging.viewer"),
    "away": (AWAY, CheckResult.FAULT, "logging_unavailable", "curl"),
}


@pytest.mark.parametrize(("answer", "result", "reason", "fix"), OTHERS.values(), ids=OTHERS)
def test_each_answer_of_a_sink_has_its_own_fix(
    answer: dict[str, str] | ApiError | None, result: CheckResult, reason: str, fix: str
) -> None:
    """Each with a command that can be copied."""
    check = examine_exclusion(Sinks(answer), PROJECT)
    assert (check.result, check.reason, check.probed) == (result, reason, PROJECT)
    assert fix in check.fix
    assert list(fix_mistakes(check.fix)) == []


def test_what_is_left_out_is_ours_alone() -> None:
    """By a reader of Cloud Logging's language: every container of ours, and nothing that a workload writes."""
    matches = parse_filter(EXCLUSION_FILTER)
    ours = [f"scc-responder-{role}-0123456789ab" for role in ("cut", "look", "freeze", "thaw")]
    assert all(matches(line_entry("SCCR1 x", AT, container_name=name)) for name in ours)
    theirs = ("app", "not-scc-responder-look", "scc-responder")
    assert not any(matches(line_entry("hello", AT, container_name=name)) for name in theirs)


def test_the_command_adds_the_exclusion_that_is_looked_for() -> None:
    """As one word of the shell: its filter has spaces and quotes."""
    command = examine_exclusion(Sinks({}), PROJECT).fix.split(OR)[1]
    assert f"--add-exclusion='name=scc-responder,filter={EXCLUSION_FILTER}'" in command


class Images:
    """`ImageRegistry` that answers, or raises what it is given."""

    def __init__(self, error: ApiError | None = None) -> None:
        self.error = error
        self.asked: list[tuple[str, ...]] = []

    @property
    def repositories(self) -> Collection[str]:
        """None is listed here."""
        return ()

    def image(self, host: str, name: str, digest: str, architecture: str) -> dict[str, Any]:
        """Note what was asked."""
        self.asked.append((host, name, digest, architecture))
        if self.error:
            raise self.error
        return {}


UNGRANTED = ApiError(
    Reason.ARTIFACT_REGISTRY.of("forbidden"),
    "x",
    status=403,
    permission="artifactregistry.repositories.downloadArtifacts",
)
FAR = ApiError(Reason.ARTIFACT_REGISTRY.of("unreachable"), "x")


@pytest.mark.parametrize(
    ("error", "reason", "fix"),
    [
        (None, "", ""),
        (ApiError(Reason.ARTIFACT_REGISTRY.of("not_found"), "x", status=404), "", ""),
        (UNGRANTED, "permission_missing", "Terraform variable image_repositories"),
        (FAR, FAR.reason, "curl"),
    ],
)
def test_a_repository_answers_or_is_a_fault(error: ApiError | None, reason: str, fix: str) -> None:
    """With what grants it. That an image which nobody has is not there shows that it may be read."""
    images = Images(error)
    check = examine_images(images, "projects/example.com:shop/locations/europe/repositories/images")
    place = "example.com/shop/images/scc-responder-probe"
    assert images.asked == [("europe-docker.pkg.dev", place, f"sha256:{'0' * 64}", "")]
    assert (check.name, check.reason) == ("images.read", reason)
    assert fix in check.fix
    assert list(fix_mistakes(check.fix)) == []
