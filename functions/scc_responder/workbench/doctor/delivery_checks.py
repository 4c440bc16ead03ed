"""Whether findings reach the function and dead letters are kept: each setting of the subscription."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Protocol

from scc_responder.domain.errors import ApiError
from scc_responder.intake.dead_letters import Subscription
from scc_responder.settings import VARIABLE_PREFIX
from scc_responder.workbench.doctor.check import (
    MISSING_PERMISSION,
    OR,
    THEN,
    Check,
    fault,
    ok,
    permission_of,
    probe_failed,
    skipped,
    unknown,
)
from scc_responder.workbench.doctor.deployed import Deployment, given

MOST_LETTERS = 10
"""Dead letters that are looked at; each is given back at once."""

_VIEWER = "run doctor as somebody with roles/pubsub.viewer too: the function's own identity may not look at this"
_CONSUMER = "run doctor as somebody who may consume it, such as an operator: the function's own identity may not"


class PubSub(Protocol):
    """What is asked of Pub/Sub. Every method raises ApiError."""

    def subscription(self, name: str) -> Subscription:
        """The subscription; ApiError with status 404 if there is none."""

    def subscriptions_of(self, topic: str) -> Sequence[str]:
        """The names of a topic's subscriptions."""

    def waiting(self, subscription: str, most: int) -> int:
        """How many messages wait, of at most that many. Each is given back."""

    def has_topic(self, topic: str) -> bool:
        """Whether there is such a topic."""

    def may_publish(self, topic: str) -> bool:
        """Whether the caller has `pubsub.topics.publish` on the topic."""


def examine_delivery(pubsub: PubSub, deployment: Deployment) -> Iterator[Check]:
    """The push subscription and its dead letters."""
    probed = deployment.subscription
    if not probed:
        fix = given("SUBSCRIPTION")
        yield unknown(
            "delivery.subscription", f"{VARIABLE_PREFIX}SUBSCRIPTION", "subscription_not_named", "not set", fix
        )
        return
    try:
        subscription = pubsub.subscription(probed)
    except ApiError as error:
        yield _unseen(
            "delivery.subscription", probed, error, "terraform apply, which makes it (google_pubsub_subscription.push)"
        )
        return
    yield ok("delivery.subscription", probed, f"of {subscription.topic}")
    yield from subscription_checks(probed, subscription, deployment)
    if subscription.dead_letter_topic:
        yield from _dead_letters(pubsub, subscription)


def subscription_checks(name: str, subscription: Subscription, deployment: Deployment) -> Iterator[Check]:
    """What the subscription says of itself."""
    yield _topic(name, subscription.topic, deployment.topic)
    push = _push(name, subscription, deployment)
    yield _endpoint(name, subscription, deployment.push_endpoint, push)
    if subscription.push_endpoint:
        yield _identity(name, subscription, deployment.push_identity, push)
    yield _deadline(name, subscription, deployment.timeout_seconds)
    if subscription.minimum_backoff_seconds > 0:
        yield ok("delivery.retry", name, f"first again after {subscription.minimum_backoff_seconds:g} s")
    else:
        why = "a delivery that failed comes again at once, and uses up its attempts within seconds"
        fix = f"Terraform variable retry{OR}{_update(name)} --min-retry-delay=10s --max-retry-delay=600s"
        yield fault("delivery.retry", name, "retry_policy_absent", why, fix)
    if subscription.expires_after_seconds == 0:
        yield ok("delivery.expiration", name, "never expires")
    else:
        days = subscription.expires_after_seconds / 86400
        why = f"it is deleted after {days:g} days without traffic, and no finding comes any more"
        yield fault(
            "delivery.expiration", name, "subscription_expires", why, f"{_update(name)} --expiration-period=never"
        )
    if not subscription.dead_letter_topic:
        why = "what cannot be handled is delivered again until it is too old, and then is lost"
        fix = f"{_update(name)} --dead-letter-topic=TOPIC --max-delivery-attempts=20{OR}terraform apply"
        yield fault("delivery.dead_letter_topic", name, "dead_letter_topic_absent", why, fix)


def _topic(name: str, topic: str, wanted: str) -> Check:
    if not wanted:
        why = f"it is of {topic}; where findings are published is not known here"
        return unknown("delivery.topic", name, "topic_not_known", why, given("TOPIC"))
    if topic != wanted:
        why = f"it is of {topic}, and findings are published on {wanted}: none comes through"
        return fault("delivery.topic", name, "topic_differs", why, "terraform apply, which makes the subscription anew")
    return ok("delivery.topic", name, topic)


def _push(name: str, subscription: Subscription, made: Deployment) -> str:
    """The command that sets the whole push configuration: options that are left out would be removed."""
    url = quote(made.push_endpoint or subscription.push_endpoint or "URL")
    identity = quote(made.push_identity or subscription.push_identity or "EMAIL")
    command = (
        f"gcloud pubsub subscriptions modify-push-config {_flags(name)} --push-endpoint={url}"
        f" --push-auth-service-account={identity} --push-auth-token-audience={url}"
    )
    return f"{command}{OR}terraform apply"


def _endpoint(name: str, subscription: Subscription, wanted: str, fix: str) -> Check:
    if not subscription.push_endpoint:
        why = "it pushes nowhere: the responder is paused, and findings wait"
        return fault("delivery.push_endpoint", name, "push_endpoint_absent", why, fix)
    if wanted and subscription.push_endpoint.rstrip("/") != wanted.rstrip("/"):
        why = f"it pushes to {subscription.push_endpoint}, and the function is at {wanted}"
        return fault("delivery.push_endpoint", name, "push_endpoint_differs", why, fix)
    return ok("delivery.push_endpoint", name, subscription.push_endpoint)


def _identity(name: str, subscription: Subscription, wanted: str, fix: str) -> Check:
    if not subscription.push_identity:
        why = "it sends no ID token: the function refuses it"
        return fault("delivery.push_identity", name, "push_identity_absent", why, fix)
    if wanted and subscription.push_identity != wanted:
        why = f"it pushes as {subscription.push_identity}, and {wanted} may call the function"
        return fault("delivery.push_identity", name, "push_identity_differs", why, fix)
    return ok("delivery.push_identity", name, subscription.push_identity)


def _deadline(name: str, subscription: Subscription, timeout: int) -> Check:
    seconds = subscription.ack_deadline_seconds
    if not timeout:
        fix = given("TIMEOUT_SECONDS")
        why = f"it is {seconds} s; the function's timeout is not known here"
        return unknown("delivery.ack_deadline", name, "timeout_not_known", why, fix)
    if seconds <= timeout:
        why = f"after {seconds} s Pub/Sub delivers again, while the function may take {timeout} s"
        fix = f"{_update(name)} --ack-deadline={timeout + 30}{OR}terraform apply, which follows limits.timeout_seconds"
        return fault("delivery.ack_deadline", name, "ack_deadline_short", why, fix)
    return ok("delivery.ack_deadline", name, f"{seconds} s, the function's timeout is {timeout} s")


def _dead_letters(pubsub: PubSub, subscription: Subscription) -> Iterator[Check]:
    name, topic = "delivery.dead_letter_subscription", subscription.dead_letter_topic
    try:
        names = pubsub.subscriptions_of(topic)
    except ApiError as error:
        yield _unseen(name, topic, error, "terraform apply, which makes it (google_pubsub_topic.responder)")
        return
    if not names:
        short, project = _parts(topic)
        why = "dead letters are published and nobody keeps them: they are lost"
        fix = (
            f"gcloud pubsub subscriptions create {short} --project={project} --topic={short} --expiration-period=never"
        )
        yield fault(name, topic, "dead_letter_subscription_absent", why, f"{fix}{OR}terraform apply")
        return
    yield ok(name, topic, ", ".join(names[:3]))
    yield _waiting(pubsub, names[0], subscription.topic)


def _waiting(pubsub: PubSub, subscription: str, topic: str) -> Check:
    name = "delivery.dead_letters"
    try:
        count = pubsub.waiting(subscription, MOST_LETTERS)
    except ApiError as error:
        if permission_of(error):
            return unknown(name, subscription, MISSING_PERMISSION, f"missing permission: {error.permission}", _CONSUMER)
        return probe_failed(name, subscription, error, "terraform apply")
    if count == 0:
        return ok(name, subscription, "none waits")
    why = f"{count}{' or more' if count == MOST_LETTERS else ''} findings were not handled and nobody responds to them"
    redrive = f"scc-responder redrive --subscription {quote(subscription)} --topic {quote(topic)}"
    return fault(name, subscription, "dead_letters_waiting", why, f"{redrive}{THEN}the same with --apply")


def examine_outcomes(pubsub: PubSub, topic: str) -> Iterator[Check]:
    """The outcome topic: that it is there, and that one may publish on it."""
    if not topic:
        yield skipped(
            "outcomes.topic", f"{VARIABLE_PREFIX}OUTCOME_TOPIC", "outcome_topic_not_set", "nothing is published"
        )
        return
    short, project = _parts(topic)
    try:
        if not pubsub.has_topic(topic):
            why = "there is no such topic: nobody is told of what was held or failed"
            fix = f"gcloud pubsub topics create {short} --project={project}{OR}terraform apply"
            yield fault("outcomes.topic", topic, "outcome_topic_absent", why, fix)
            return
        yield ok("outcomes.topic", topic)
    except ApiError as error:
        if not permission_of(error):
            yield probe_failed("outcomes.topic", topic, error, "terraform apply")
            return
        # Its own identity may publish and no more; what the topic is good for is asked next.
    yield _publish(pubsub, topic, project, short)


def _publish(pubsub: PubSub, topic: str, project: str, short: str) -> Check:
    name = "outcomes.publish"
    try:
        allowed = pubsub.may_publish(topic)
    except ApiError as error:
        if error.status == 501:  # Google's emulator knows no IAM
            return unknown(name, topic, "permission_test_unsupported", str(error), "ask Google's Pub/Sub")
        return probe_failed(name, topic, error, "terraform apply")
    if allowed:
        return ok(name, topic, "pubsub.topics.publish")
    why = "missing permission: pubsub.topics.publish, or there is no such topic"
    fix = (
        f"gcloud pubsub topics add-iam-policy-binding {short} --project={project}"
        f" --member=serviceAccount:IDENTITY --role=roles/pubsub.publisher{OR}terraform apply"
    )
    return fault(name, topic, MISSING_PERMISSION, why, fix)


def _unseen(name: str, probed: str, error: ApiError, fix: str) -> Check:
    if permission_of(error):
        return unknown(name, probed, MISSING_PERMISSION, f"missing permission: {error.permission}", _VIEWER)
    return probe_failed(name, probed, error, fix)


def _update(name: str) -> str:
    return f"gcloud pubsub subscriptions update {_flags(name)}"


def _flags(name: str) -> str:
    short, project = _parts(name)
    return f"{short} --project={project}"


def _parts(name: str) -> tuple[str, str]:
    """A topic's or subscription's short name and its project, safe in a shell."""
    return quote(name.rpartition("/")[2]), quote(name.removeprefix("projects/").partition("/")[0])
