"""What doctor makes of a subscription, whoever describes it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.intake.dead_letters import Subscription
from scc_responder.workbench.doctor.check import MISSING_PERMISSION, Check, CheckResult
from scc_responder.workbench.doctor.delivery_checks import (
    MOST_LETTERS,
    examine_delivery,
    examine_outcomes,
    subscription_checks,
)
from scc_responder.workbench.doctor.deployed import Deployment
from tests.docs.command_lines import fix_mistakes, mistakes

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


@pytest.mark.parametrize(
    ("broken", "name", "reason", "why", "fix"),
    [
        ({"minimum_backoff_seconds": 0}, "delivery.retry", "retry_policy_absent", "at once", "--min-retry-delay=10s"),
        (
            {"expires_after_seconds": 31 * 86400},
            "delivery.expiration",
            "subscription_expires",
            "deleted after 31 days",
            "--expiration-period=never",
        ),
        (
            {"dead_letter_topic": ""},
            "delivery.dead_letter_topic",
            "dead_letter_topic_absent",
            "then is lost",
            "--dead-letter-topic=TOPIC",
        ),
    ],
)
def test_what_a_subscription_lacks_has_a_fix(
    broken: dict[str, Any], name: str, reason: str, why: str, fix: str
) -> None:
    """What a subscription does not say of retries, of its end and of dead letters is one fault each."""
    checks = list(subscription_checks(NAME, replace(SOUND, **broken), MADE))
    assert wrong(checks) == {name: reason}
    (check,) = (check for check in checks if check.reason)
    assert (why in check.why, fix in check.fix) == (True, True)


DEAD = SOUND.dead_letter_topic
KEEPER = "projects/example-project/subscriptions/dead"
OUTCOMES = "projects/example-project/topics/outcomes"


class Broker:
    """Pub/Sub that answers as told; an error is raised."""

    def __init__(
        self,
        *,
        found: Any = SOUND,
        keepers: Any = (KEEPER,),
        letters: Any = 0,
        has_topic: Any = True,
        may_publish: Any = True,
    ) -> None:
        self.found, self.keepers, self.letters = found, keepers, letters
        self.there, self.granted = has_topic, may_publish

    def subscription(self, name: str) -> Subscription:
        """See `PubSub`."""
        assert name == NAME
        found: Subscription = _answered(self.found)
        return found

    def subscriptions_of(self, topic: str) -> Sequence[str]:
        """See `PubSub`."""
        assert topic == DEAD
        names: Sequence[str] = _answered(self.keepers)
        return names

    def waiting(self, subscription: str, most: int) -> int:
        """See `PubSub`."""
        assert subscription == KEEPER
        return min(int(_answered(self.letters)), most)

    def has_topic(self, topic: str) -> bool:
        """See `PubSub`."""
        assert topic == OUTCOMES
        return bool(_answered(self.there))

    def may_publish(self, topic: str) -> bool:
        """See `PubSub`."""
        assert topic == OUTCOMES
        return bool(_answered(self.granted))


def _answered(answer: Any) -> Any:
    if isinstance(answer, ApiError):
        raise answer
    return answer


def forbidden(permission: str) -> ApiError:
    """The refusal of a caller that lacks a permission."""
    return ApiError(Reason.PUBSUB.of("permission_denied"), "no", status=403, permission=permission)


def wrong(checks: Iterable[Check]) -> dict[str, str]:
    """The reason of each check that is not as it should be, by its name; each fix can be copied."""
    chosen = [check for check in checks if check.result is not CheckResult.OK]
    assert [mistake for check in chosen for mistake in fix_mistakes(check.fix)] == []
    return {check.name: check.reason for check in chosen}


AWAY = ApiError(Reason.PUBSUB.of("unavailable"), "away")
ABSENT = ApiError(Reason.PUBSUB.of("not_found"), "no such subscription", status=404)


@pytest.mark.parametrize(
    ("broker", "name", "result", "reason", "fix"),
    [
        (
            Broker(found=ABSENT),
            "delivery.subscription",
            CheckResult.FAULT,
            "pubsub_not_found",
            "google_pubsub_subscription.push",
        ),
        (
            Broker(found=forbidden("pubsub.subscriptions.get")),
            "delivery.subscription",
            CheckResult.UNKNOWN,
            MISSING_PERMISSION,
            "roles/pubsub.viewer",
        ),
        (
            Broker(keepers=forbidden("pubsub.topics.get")),
            "delivery.dead_letter_subscription",
            CheckResult.UNKNOWN,
            MISSING_PERMISSION,
            "roles/pubsub.viewer",
        ),
        (
            Broker(keepers=()),
            "delivery.dead_letter_subscription",
            CheckResult.FAULT,
            "dead_letter_subscription_absent",
            "gcloud pubsub subscriptions create dead --project=example-project --topic=dead",
        ),
        (
            Broker(letters=forbidden("pubsub.subscriptions.consume")),
            "delivery.dead_letters",
            CheckResult.UNKNOWN,
            MISSING_PERMISSION,
            "who may consume it",
        ),
        (Broker(letters=AWAY), "delivery.dead_letters", CheckResult.FAULT, "pubsub_unavailable", "terraform apply"),
        (
            Broker(letters=1),
            "delivery.dead_letters",
            CheckResult.FAULT,
            "dead_letters_waiting",
            f"scc-responder redrive --subscription {KEEPER} --topic {SOUND.topic}; then: ",
        ),
    ],
)
def test_the_first_fault_of_delivery_ends_it(
    broker: Broker, name: str, result: CheckResult, reason: str, fix: str
) -> None:
    """The subscription, who keeps its dead letters, and how many wait: each is asked where the one before is known.

    What only others may look at is unknown, and says who they are.
    """
    *before, last = examine_delivery(broker, replace(MADE, subscription=NAME))
    assert (wrong(before), wrong([last])) == ({}, {name: reason})
    assert (last.result, fix in last.fix) == (result, True)


@pytest.mark.parametrize(
    ("letters", "why"), [(9, "9 findings"), (MOST_LETTERS, "10 or more findings"), (500, "10 or more findings")]
)
def test_no_more_than_ten_letters_are_counted(letters: int, why: str) -> None:
    """So many dead letters are looked at, and beyond that it is told that there may be more."""
    *_, check = examine_delivery(Broker(letters=letters), replace(MADE, subscription=NAME))
    assert check.why.startswith(why)


def test_sound_delivery_has_no_fault() -> None:
    """Where nothing is wrong every check is made, down to the letters; without a name there is nothing to look at."""
    checks = list(examine_delivery(Broker(), replace(MADE, subscription=NAME)))
    assert (wrong(checks), checks[0].name, checks[-1].name) == ({}, "delivery.subscription", "delivery.dead_letters")
    assert wrong(examine_delivery(Broker(), MADE)) == {"delivery.subscription": "subscription_not_named"}


def test_no_dead_letter_topic_ends_delivery() -> None:
    """A subscription without dead letters is one fault; nobody is asked who keeps them."""
    broker = Broker(found=replace(SOUND, dead_letter_topic=""), keepers=AWAY)
    checks = examine_delivery(broker, replace(MADE, subscription=NAME))
    assert wrong(checks) == {"delivery.dead_letter_topic": "dead_letter_topic_absent"}


@pytest.mark.parametrize(
    ("topic", "broker", "expected"),
    [
        (OUTCOMES, Broker(), {}),
        ("", Broker(), {"outcomes.topic": "outcome_topic_not_set"}),
        (OUTCOMES, Broker(has_topic=False, may_publish=False), {"outcomes.topic": "outcome_topic_absent"}),
        (OUTCOMES, Broker(has_topic=AWAY, may_publish=AWAY), {"outcomes.topic": "pubsub_unavailable"}),
        (OUTCOMES, Broker(has_topic=forbidden("pubsub.topics.get")), {}),
        (OUTCOMES, Broker(may_publish=False), {"outcomes.publish": MISSING_PERMISSION}),
        (OUTCOMES, Broker(may_publish=AWAY), {"outcomes.publish": "pubsub_unavailable"}),
        (
            OUTCOMES,
            Broker(may_publish=ApiError(Reason.PUBSUB.of("unimplemented"), "no IAM", status=501)),
            {"outcomes.publish": "permission_test_unsupported"},
        ),
    ],
)
def test_the_outcome_topic_takes_messages(topic: str, broker: Broker, expected: dict[str, str]) -> None:
    """The outcome topic is there and may be published on; an identity that may not look at it may publish still."""
    assert wrong(examine_outcomes(broker, topic)) == expected
