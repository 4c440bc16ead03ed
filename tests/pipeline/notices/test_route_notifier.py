"""Each notice is in the outbox of its routes before anything is sent; a storm becomes digests, but for what pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError, StoreError, StoreUnavailable
from scc_responder.domain.notices.notice import Notice, NoticeKind
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.reasons import Reason
from scc_responder.journal.notices import breaker_notice, feed_notice, first_shot_notice
from scc_responder.journal.outbox import outbox
from scc_responder.pipeline.notices import route_notifier
from scc_responder.policy.guardrails import Environment
from scc_responder.policy.routes import RouteRule, Routes
from tests.kits.notices import NOON, routes, told
from tests.kits.responder import CLUSTER, finding_about
from tests.kits.route_scene import RouteScene

Made = Callable[[Routes], RouteScene]


def counts(made: RouteScene) -> tuple[int, int]:
    """How many notices were told one by one, and how many by digests."""
    got = [routed.notice for _, routed in made.receivers.got]
    digests = [notice.facts["count"] for notice in got if notice.kind is NoticeKind.DIGEST]
    return len(got) - len(digests), sum(digests)


def test_a_storm_is_told_by_one_digest_in_five_minutes(scene: Made) -> None:
    """Up to the burst each is told; what comes after is counted, and none is lost."""
    made = scene(routes("shop", burst=3))
    for number in range(40):
        made.tell(told(number))
        made.clock.move(seconds=5)
    for _ in range(12):
        made.sweep(minutes=1)
    assert counts(made) == (3, 37)
    moments = [routed.notice.kind for _, routed in made.receivers.got].count(NoticeKind.DIGEST)
    assert moments == 1
    assert made.waiting == 0


def test_what_is_severe_and_needs_a_person_still_pages(scene: Made) -> None:
    """Whatever the storm: it is neither counted nor gathered. A severe one that went well is gathered."""
    made = scene(routes("shop", burst=2))
    quiet = [told(number) for number in range(6)]
    pages = [told(16 + number, severity="HIGH", level="WARNING") for number in range(4)]
    well = [told(32, severity="CRITICAL")]
    made.tell(*quiet, *pages, *well)
    assert [case for _, case in made.receivers.cases] == ["0", "1", "0", "1", "2", "3"]
    made.sweep(minutes=1)
    assert counts(made) == (6, 5)


def test_what_holds_a_whole_place_still_pages(scene: Made) -> None:
    """A storm is when breakers trip, and a digest would say neither where nor how they are reset."""
    made = scene(routes("shop", burst=1))
    pages = [
        breaker_notice(CLUSTER, NOON, "6 denials"),
        first_shot_notice(CLUSTER, "contain", "9 pods of 5"),
        feed_notice(Reason.CONFIG_CHANGED, NOON.date(), {}),
    ]
    made.tell(told(1), *pages, told(2))
    kinds = [NoticeKind.OUTCOME, NoticeKind.BREAKER, NoticeKind.POLICY, NoticeKind.FEED]
    assert [routed.notice.kind for _, routed in made.receivers.got] == kinds
    made.sweep(minutes=1)
    assert counts(made) == (4, 1)


def of_one_pod(number: int, **subject: Any) -> Notice:
    """A notice about a case of a pod that all have."""
    known = {"severity": "HIGH", "level": "WARNING", "about": ("pod P u1",), "event_time": NOON, **subject}
    return told(number, **known)


def test_a_storm_of_one_workload_is_one_thread_and_one_page(scene: Made) -> None:
    """Of 500 severe findings the first pages; the burst follows in its thread, and one digest of all others."""
    made = scene(routes("shop", burst=20))
    for start in range(0, 500, 50):
        made.tell(*(of_one_pod(number) for number in range(start, start + 50)))
    made.sweep(minutes=1)
    made.sweep(minutes=10)
    got = [routed for _, routed in made.receivers.got]
    assert {routed.thread for routed in got} == {told(0).case}
    assert {routed.alert or routed.thread for routed in got} == {told(0).case}
    assert counts(made) == (21, 479)
    (digest,) = (routed.notice for routed in got if routed.notice.kind is NoticeKind.DIGEST)
    assert digest.facts["by_incident"] == {told(0).case: 479}


def test_a_digest_of_what_is_over_opens_no_alert(scene: Made) -> None:
    """Neither where its incident is over when it is sent, nor where all that it tells of needs nobody; else it does."""
    made = scene(routes("shop", burst=1))
    over: dict[str, Any] = {"level": "NOTICE", "is_over": True}
    made.tell(*(of_one_pod(number, **over) for number in range(4)))
    made.sweep(minutes=1)
    made.tell(*(of_one_pod(number, about=(f"pod P {number}",), **over) for number in range(10, 14)))
    made.sweep(minutes=10)
    made.tell(*(of_one_pod(number, about=("pod Q u",), severity="LOW") for number in range(20, 24)))
    made.sweep(minutes=10)
    made.tell(*(of_one_pod(number, about=(f"pod R {number}",), severity="LOW") for number in range(30, 34)))
    made.sweep(minutes=10)
    made.tell(of_one_pod(40, about=("pod S u",)), *(of_one_pod(41 + n, about=("pod S u",), **over) for n in range(3)))
    made.sweep(minutes=10)
    digests = [routed for _, routed in made.receivers.got if routed.notice.kind is NoticeKind.DIGEST]
    assert [(routed.notice.case[-2:], routed.closes) for routed in digests] == [
        ("00", True),
        ("", True),
        ("14", False),
        ("", False),
        ("28", False),
    ]


def test_a_digest_of_several_incidents_is_in_no_thread(scene: Made) -> None:
    """It says how many are of each."""
    made = scene(routes("shop", burst=1))
    made.tell(*(of_one_pod(number, about=(f"pod P {number % 2}",), severity="LOW") for number in range(7)))
    made.sweep(minutes=1)
    (digest,) = (routed for _, routed in made.receivers.got if routed.notice.kind is NoticeKind.DIGEST)
    assert (digest.thread == digest.id, sum(digest.notice.facts["by_incident"].values())) == (True, 6)


def test_what_pages_again_is_told_in_any_storm(scene: Made) -> None:
    """In the thread, with an alert of its own; the last case of the incident ends it, whatever was told before."""
    made = scene(routes("shop", burst=1))
    made.tell(
        *(of_one_pod(number) for number in range(4)), of_one_pod(4, is_held=True), of_one_pod(5, namespace="till")
    )
    assert made.receivers.cases == [("shop", "0"), ("shop", "1"), ("shop", "4"), ("shop", "5")]
    assert [routed.alert[-1] for _, routed in made.receivers.got] == ["0", "0", "4", "5"]
    made.tell(*(replace(of_one_pod(number, is_over=True, level="NOTICE"), key="2") for number in range(6)))
    ended = [(routed.notice.case[-1], [alert[-1] for alert in routed.ends]) for _, routed in made.receivers.got[4:]]
    assert ended == [("4", ["4"]), ("5", ["5", "0"])]
    assert {routed.thread for _, routed in made.receivers.got} == {told(0).case}


def test_a_cluster_of_another_environment_pages_again(scene: Made) -> None:
    """As guardrails name environments; of clusters that none names each is its own."""
    made = scene(routes("shop"))
    services = made.deployment.services
    environments = (Environment(name="prod", clusters=("a", "b")),)
    services.policies = replace(
        services.policies, guardrails=replace(services.policies.guardrails, environments=environments)
    )
    made.tell(*(of_one_pod(number, cluster=place) for number, place in enumerate("abcd")))
    assert [routed.alert[-1] for _, routed in made.receivers.got] == ["0", "0", "2", "3"]


def test_what_is_put_is_stored_before_the_topic_is_told(scene: Made) -> None:
    """An error of the topic is the outcome; the message comes again then, and the routes say it once."""
    made = scene(routes("shop"))
    asked: list[int] = []

    class Topic:
        def tell(self, notice: Notice) -> str:
            asked.append(made.waiting)
            raise ApiError(Reason.TIMEOUT, notice.reason)

    notifier = made.lanes.before(Topic())
    for _ in range(2):
        with pytest.raises(ApiError):
            notifier.tell(told(1))
    made.lanes.send()
    assert asked == [1, 1]
    assert made.receivers.cases == [("shop", "1")]


def test_a_store_that_takes_nothing_is_an_error(scene: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing counts as told then: the delivery comes again."""
    made = scene(routes("shop"))

    def failing(*_: object, **__: object) -> None:
        raise StoreUnavailable(Reason.STORE_UNAVAILABLE, "down")

    monkeypatch.setattr(route_notifier, "put", failing)
    with pytest.raises(StoreError):
        made.tell(told(1))


def test_a_finding_is_told_by_its_routes(scene: Made, pod: dict[str, Any]) -> None:
    """Its namespace, cluster and severity choose; nothing is configured for the topic."""
    rules = [RouteRule(namespace="shop", severity="HIGH", cluster="projects/*/locations/*/clusters/*", to=("shop",))]
    made = scene(routes("ops", "shop", rules=rules))
    made.clock.now = utc_now()
    document = finding_about(pod)
    assert made.deployment.respond_to(document).status == 204
    ((route, routed),) = made.receivers.got
    assert (route, routed.notice.kind, routed.notice.subject.namespace) == ("shop", NoticeKind.OUTCOME, "shop")
    assert made.deployment.outcomes(document)[-1] == "notify: published"


def test_a_delivery_sends_after_its_acts_and_its_line(scene: Made, pod: dict[str, Any]) -> None:
    """When a receiver has the notice, the case is closed and the log line is written."""
    made = scene(routes("ops"))
    made.clock.now = utc_now()
    seen: list[tuple[str, int]] = []
    document = finding_about(pod)

    def judge(_route: str, _routed: RoutedNotice) -> str:
        seen.append((str(made.deployment.case(document).state), len(made.deployment.lines)))
        return ""

    made.receivers.judge = judge
    made.deployment.respond_to(document)
    assert seen == [("done", 1)]


def test_an_id_is_the_same_after_a_crash_of_the_step(scene: Made) -> None:
    """What is stored again while the first still waits is no second entry."""
    made = scene(routes("ops"))
    again = replace(told(1), facts={"attempts": 2})
    for notice in (told(1), again):
        outbox.put(made.deployment.services.store, "ops", notice, made.clock())
    assert made.waiting == 1
