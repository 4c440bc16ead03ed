"""What doctor makes of a subscription, whoever describes it."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.intake.dead_letters import Subscription
from scc_responder.workbench.doctor.check import CheckResult
from scc_responder.workbench.doctor.delivery_checks import subscription_checks
from scc_responder.workbench.doctor.deployed import Deployment
from tests.docs.command_lines import mistakes

NAME = "projects/example-project/subscriptions/push"


SOUND = Subscription(
    topic="projects/example-project/topics/findings",
    push_endpoint="https://a.example.com/",
    push_identity="push@example.com",
    ack_deadline_seconds=140,
    minimum_backoff_seconds=10,
    dead_letter_topic="projects/example-project/topics/dead",
)


MADE = Deployment(
    topic=SOUND.topic, push_endpoint="https://a.example.com", push_identity="push@example.com", timeout_seconds=110
)


@pytest.mark.parametrize(
    ("seconds", "timeout", "result"),
    [
        (111, 110, CheckResult.OK),
        (110, 110, CheckResult.FAULT),
        (10, 110, CheckResult.FAULT),
        (600, 0, CheckResult.UNKNOWN),
    ],
)
def test_the_ack_deadline_exceeds_the_timeout(seconds: int, timeout: int, result: CheckResult) -> None:
    """The deadline has to be longer than the function's timeout; without knowing that one, nobody can tell."""
    found = Subscription(topic="t", ack_deadline_seconds=seconds)
    checks = {check.name: check for check in subscription_checks(NAME, found, Deployment(timeout_seconds=timeout))}
    assert checks["delivery.ack_deadline"].result is result


def test_a_sound_subscription_has_no_fault() -> None:
    """A subscription that is as it should be has no fault, whether its address ends in a slash or not."""
    assert {check.result for check in subscription_checks(NAME, SOUND, MADE)} == {CheckResult.OK}


PUSHES = [
    pytest.param({"push_endpoint": ""}, MADE, "push_endpoint_absent", id="paused"),
    pytest.param({"push_endpoint": "https://b.example.com"}, MADE, "push_endpoint_differs", id="elsewhere"),
    pytest.param({"push_identity": ""}, MADE, "push_identity_absent", id="nobody"),
    pytest.param({"push_identity": "other@example.com"}, MADE, "push_identity_differs", id="somebody-else"),
    pytest.param({"push_endpoint": ""}, Deployment(), "push_endpoint_absent", id="nothing-known"),
]


@pytest.mark.parametrize(("broken", "made", "reason"), PUSHES)
def test_pushes_are_set_in_full(broken: dict[str, str], made: Deployment, reason: str) -> None:
    """Whatever is wrong with the push, the command that fixes it gives endpoint, identity and audience."""
    (check,) = (check for check in subscription_checks(NAME, replace(SOUND, **broken), made) if check.reason == reason)
    command, _, other = check.fix.partition("; or: ")
    given = {word.partition("=")[0]: word.partition("=")[2] for word in shlex.split(command) if word[:2] == "--"}
    url = made.push_endpoint or "URL"
    assert given == {
        "--project": "example-project",
        "--push-endpoint": url,
        "--push-auth-service-account": made.push_identity or SOUND.push_identity,
        "--push-auth-token-audience": url,
    }
    assert (list(mistakes(command)), other) == ([], "terraform apply")


@pytest.mark.parametrize(
    ("topic", "wanted", "reason"),
    [
        (SOUND.topic, SOUND.topic, ""),
        ("projects/example-project/topics/WRONG", SOUND.topic, "topic_differs"),
        ("_deleted-topic_", SOUND.topic, "topic_differs"),
        (SOUND.topic, "", "topic_not_known"),
    ],
)
def test_a_subscription_of_another_topic_is_named(topic: str, wanted: str, reason: str) -> None:
    """A subscription of another topic brings nothing; the one that it has is told."""
    checks = {
        one.name: one for one in subscription_checks(NAME, replace(SOUND, topic=topic), replace(MADE, topic=wanted))
    }
    assert checks["delivery.topic"].reason == reason
    assert topic in checks["delivery.topic"].why


@given(st.text(min_size=1, max_size=80))
def test_commands_are_safe_to_copy(text: str) -> None:
    """What a subscription says of itself is one word of the command that fixes it, whatever it says."""
    found = Subscription(topic="t", push_endpoint=text, push_identity="other@example.com")
    made = replace(MADE, push_endpoint="")
    (check,) = (check for check in subscription_checks(NAME, found, made) if check.reason == "push_identity_differs")
    command = check.fix.removesuffix("; or: terraform apply")
    if len(check.fix) < 600:
        words = shlex.split(command)
        assert words[:4] == ["gcloud", "pubsub", "subscriptions", "modify-push-config"]
        assert len(words) == 9
