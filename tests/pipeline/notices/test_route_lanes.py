"""Each route is sent to beside the others: what fails is tried again, and costs nothing but its own notices."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from scc_responder.domain.errors import ApiError
from scc_responder.domain.notices.routed_notice import NoticeContent, RoutedNotice
from scc_responder.domain.reasons import Reason
from scc_responder.journal.outbox import outbox
from scc_responder.journal.outbox.outbox import OUTBOX
from scc_responder.pipeline.notices import route_lanes
from scc_responder.pipeline.notices.route_lanes import REQUEST_WAITS_SECONDS, read_address
from scc_responder.policy.routes import ReceiverKind, RouteRule, Routes
from tests.cluster.polling import wait_until
from tests.kits.google.contacts_server import ContactsServer
from tests.kits.notices import mount, routes, told
from tests.kits.route_scene import RouteScene

SECRET = "https://hooks.example.com/s3cr3t"
FAILS = ApiError(Reason.RECEIVER.of("unreachable"), SECRET)


def test_a_request_sends_what_it_put(scene: Callable[..., RouteScene]) -> None:
    """With id, thread and content of the route; nothing waits then, and no sweep says it again."""
    given = routes("shop")
    full = given.routes["shop"]
    made = scene(replace(given, routes={"shop": replace(full, content=NoticeContent.MINIMAL)}))
    made.tell(told(1), replace(told(2), subject=replace(told().subject, is_over=True)))
    made.sweep(minutes=10)
    assert made.receivers.cases == [("shop", "1"), ("shop", "2")]
    (_, first), (_, second) = made.receivers.got
    assert (first.content, first.closes, first.thread) == (NoticeContent.MINIMAL, False, told(1).case)
    assert (second.closes, first.id == second.id, made.waiting) == (True, False, 0)


def test_contacts_are_told_by_the_routes_that_say_so(scene: Callable[..., RouteScene]) -> None:
    """Those within the listed domains alone; a domain below one, or one that only ends like it, is none."""
    given = routes("ops", "shop", rules=[RouteRule(severity="LOW", to=("ops", "shop"))])
    mail = replace(given.routes["shop"], receiver=ReceiverKind.EMAIL, to_contacts=True)
    made = scene(replace(given, routes={**given.routes, "shop": mail}, contact_domains=("example.com",)))
    outside = ("a@evil.example", "a@sub.example.com", "a@notexample.com", "a@example.com.evil.example")
    made.tell(told(1, contacts=(*outside, "pat@Example.com")))
    got = {route: routed.contacts for route, routed in made.receivers.got}
    assert got == {"ops": (), "shop": ("pat@Example.com",)}


SHOP = "projects/example-project/locations/europe-west1/clusters/shop"


def of_project(scene: Callable[..., RouteScene], server: ContactsServer, *, tells: bool = True) -> RouteScene:
    """A deployment whose routes may tell the contacts that this server names."""
    given = routes("shop")
    mail = replace(given.routes["shop"], receiver=ReceiverKind.EMAIL, to_contacts=tells)
    made = scene(replace(given, routes={"shop": mail}, contact_domains=("example.com",)))
    services = made.deployment.services
    services.settings = replace(services.settings, contacts_endpoint=server.endpoint)
    services.__dict__["_token"] = lambda: server.token
    return made


def test_the_contacts_of_a_project_are_told(scene: Callable[..., RouteScene]) -> None:
    """Beside the finding's own, each once, within the listed domains; not who did it, however that is spelt."""
    with ContactsServer() as server:
        for name in ("security@example.com", "pat@example.com", "a@evil.example", "Mallory+x@example.com"):
            server.add("example-project", name, "SECURITY")
        made = of_project(scene, server)
        for number in (1, 2):
            made.tell(told(number, cluster=SHOP, contacts=("pat@example.com",), actors=("mallory@example.com",)))
        made.tell(told(3, contacts=("pat@example.com",)))
    assert [routed.contacts for _, routed in made.receivers.got] == [
        ("pat@example.com", "security@example.com"),
        ("pat@example.com", "security@example.com"),
        ("pat@example.com",),
    ]
    assert server.asked == ["example-project"]


def test_contacts_that_cannot_be_read_hold_nothing_up(scene: Callable[..., RouteScene]) -> None:
    """The notice arrives without them, and one line of the log says why."""
    with ContactsServer() as server:
        made = of_project(scene, server)
        server.answers.append(403)
        made.tell(told(1, cluster=SHOP), told(2, cluster=SHOP))
    assert [routed.contacts for _, routed in made.receivers.got] == [(), ()]
    (line,) = made.said("essential_contacts_permission_denied")
    assert line["place"] == SHOP


def test_a_route_that_tells_no_contacts_asks_for_none(scene: Callable[..., RouteScene]) -> None:
    """Nobody reads what nobody is told by."""
    with ContactsServer() as server:
        made = of_project(scene, server, tells=False)
        made.tell(told(1, cluster=SHOP))
    assert (server.asked, made.deployment.services.contacts) == ([], None)


def test_a_thread_is_gone_on_with_by_its_first_receipt(scene: Callable[..., RouteScene]) -> None:
    """Each route has its own."""
    made = scene(routes("shop"))
    made.receivers.judge = lambda _route, routed: f"ts-{len(made.receivers.got)}"
    again = replace(told(1), key="2 notify")
    made.tell(told(1), again)
    made.tell(told(2))
    made.tell(replace(told(1), key="3 notify"))
    assert [routed.receipt for _, routed in made.receivers.got] == ["", "ts-1", "", "ts-1"]


def test_what_fails_is_said_by_a_later_sweep(scene: Callable[..., RouteScene]) -> None:
    """With the same id, and never sooner than its pause is over; the log says each time why."""
    made = scene(routes("shop"))
    up = []

    def judge(_route: str, _routed: RoutedNotice) -> str:
        if not up:
            raise FAILS
        return ""

    made.receivers.judge = judge
    made.tell(told(1))
    made.sweep(seconds=30)
    assert len(made.receivers.got) == 1
    made.sweep(seconds=31)
    up.append(1)
    made.sweep(minutes=1)
    assert len(made.receivers.got) == 2
    made.sweep(minutes=1)
    assert len({routed.id for _, routed in made.receivers.got}) == 1
    assert (len(made.receivers.got), made.waiting) == (3, 0)
    lines = made.said("notice_waits")
    assert [(line["tries"], line["refused"], line["route"]) for line in lines] == [
        (1, "receiver_unreachable", "shop"),
        (2, "receiver_unreachable", "shop"),
    ]


def test_nothing_says_an_address(scene: Callable[..., RouteScene]) -> None:
    """Neither a line of the log nor the store, whatever an error of ours or of a library quotes."""
    made = scene(routes("shop", "ops", rules=()))
    errors = iter([FAILS, ValueError(SECRET), ApiError(Reason.RECEIVER.of("status_400"), SECRET, status=400)])

    def judge(_route: str, _routed: RoutedNotice) -> str:
        raise next(errors)

    made.receivers.judge = judge
    made.tell(told(1))
    made.sweep(minutes=2)
    made.sweep(minutes=5)
    stored = b"".join(entry.value for entry in made.deployment.services.store.scan("").entries)
    assert b"s3cr3t" not in stored
    assert "s3cr3t" not in str(made.deployment.lines)
    reasons = [line["refused"] for line in (*made.said("notice_waits"), *made.said("notice_undeliverable"))]
    assert reasons == ["receiver_unreachable", "ValueError", "receiver_status_400"]


def test_what_a_sweep_may_have_is_left_to_it(scene: Callable[..., RouteScene]) -> None:
    """Where the first of a request takes long, the next ones are past the minute that is theirs: each is said once."""
    made = scene(routes("shop"))

    def judge(_route: str, _routed: RoutedNotice) -> str:
        made.clock.move(seconds=20)
        return ""

    made.receivers.judge = judge
    made.tell(*(told(number) for number in range(4)))
    assert made.receivers.cases == [("shop", "0"), ("shop", "1")]
    made.sweep(seconds=1)
    made.sweep(minutes=5)
    assert sorted(made.receivers.cases) == [("shop", str(number)) for number in range(4)]
    assert made.waiting == 0


def test_a_request_that_comes_back_late_sends_nothing(scene: Callable[..., RouteScene]) -> None:
    """A sweep has sent it by then."""
    made = scene(routes("shop"))
    notifier = made.deployment.services.notifier
    assert notifier
    notifier.tell(told(1))
    made.sweep(minutes=2)
    made.lanes.send()
    assert made.receivers.cases == [("shop", "1")]


def test_messages_of_a_case_keep_their_order(scene: Callable[..., RouteScene]) -> None:
    """While one waits, none that came after it is said: a resolved alert would be opened again."""
    made = scene(routes("shop"))
    dead = [1]

    def judge(_route: str, _routed: RoutedNotice) -> str:
        if dead:
            raise FAILS
        return ""

    made.receivers.judge = judge
    many = [replace(told(1), key=f"{number} notify", state=None, reason=f"r{number}") for number in range(5)]
    notifier = made.deployment.services.notifier
    assert notifier
    for notice in many:
        notifier.tell(notice)
        made.clock.move(seconds=1)
    made.lanes.send()
    made.sweep(minutes=1)
    assert {routed.notice.reason for _, routed in made.receivers.got} == {"r0"}
    dead.clear()
    made.receivers.got.clear()
    for _ in range(2):
        made.sweep(minutes=2)
    assert [routed.notice.reason for _, routed in made.receivers.got] == ["r0", "r1", "r2", "r3", "r4"]


def test_a_message_that_is_never_taken_holds_its_case_for_a_quarter_of_an_hour(
    scene: Callable[..., RouteScene],
) -> None:
    """Then the others overtake it: one that a service refuses for a reason of its own silences no case."""
    made = scene(routes("shop"))

    def judge(_route: str, routed: RoutedNotice) -> str:
        if routed.notice.reason == "r0":
            raise FAILS
        return ""

    made.receivers.judge = judge
    notifier = made.deployment.services.notifier
    assert notifier
    for number in range(3):
        notifier.tell(replace(told(1), key=f"{number} notify", reason=f"r{number}"))
        made.clock.move(seconds=1)
    made.lanes.send()
    said = []
    for _ in range(20):
        made.sweep(minutes=1)
        said.append({routed.notice.reason for _, routed in made.receivers.got} - {"r0"})
    assert said[6] == set()
    assert said[-1] == {"r1", "r2"}
    assert made.waiting == 1


def test_a_lane_that_could_not_begin_is_free(scene: Callable[..., RouteScene], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine gives no thread, the next sweep sends."""
    made = scene(routes("shop"))

    def none_left(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(route_lanes.Thread, "start", none_left)
        with pytest.raises(RuntimeError):
            made.tell(told(1))
    made.sweep(minutes=2)
    assert made.receivers.cases == [("shop", "1")]


@pytest.mark.parametrize(
    ("status", "waits"), [(400, True), (401, True), (403, True), (404, True), (413, False), (422, False)]
)
def test_a_wrong_key_may_be_set_right_within_the_day(
    scene: Callable[..., RouteScene], status: int, *, waits: bool
) -> None:
    """PagerDuty and Google Chat answer it with 400. Only what is refused for what it is, is given up at once."""
    made = scene(routes("shop"))
    right = []

    def judge(_route: str, _routed: RoutedNotice) -> str:
        if not right:
            raise ApiError(Reason.RECEIVER.of(f"status_{status}"), SECRET, status=status)
        return ""

    made.receivers.judge = judge
    made.tell(told(1))
    right.append(1)
    made.sweep(minutes=2)
    assert (len(made.receivers.got), len(made.said("notice_undeliverable"))) == ((2, 0) if waits else (1, 1))


def test_what_nobody_takes_for_a_day_is_told(scene: Callable[..., RouteScene]) -> None:
    """By one line of the log; it stays listed, and is not sent any more."""
    made = scene(routes("shop"))

    def judge(_route: str, _routed: RoutedNotice) -> str:
        raise FAILS

    made.receivers.judge = judge
    made.tell(told(1))
    for _ in range(30):
        made.sweep(hours=1)
    (line,) = made.said("notice_undeliverable")
    assert (line["severity"], line["case"], line["route"]) == ("ERROR", told(1).case, "shop")
    assert len(made.receivers.got) == line["tries"]
    (entry,) = made.deployment.services.store.scan(OUTBOX).entries
    assert not entry.unfinished


def test_a_dead_route_is_asked_twice_a_sweep(scene: Callable[..., RouteScene]) -> None:
    """However much waits for it; once it answers, all of it is said, and the other route never waited."""
    made = scene(routes("ops", rules=()))
    dead: list[int] = [1]

    def judge(_route: str, _routed: RoutedNotice) -> str:
        if dead:
            raise FAILS
        return ""

    made.receivers.judge = judge
    made.tell(*(told(number) for number in range(9)))
    assert len(made.receivers.got) == 2
    made.sweep(minutes=2)
    assert len(made.receivers.got) == 4
    dead.clear()
    for _ in range(6):
        made.sweep(minutes=4)
    assert {case for _, case in made.receivers.cases} == set("012345678")
    assert made.waiting == 0


def test_a_receiver_that_never_answers_costs_a_second_once(scene: Callable[..., RouteScene]) -> None:
    """The next request does not wait for it at all; another route has its notice at once."""
    made = scene(Routes(routes=routes("ops", "shop").routes, fallback=("ops", "shop")))
    never = Event()

    def judge(route: str, _routed: RoutedNotice) -> str:
        if route == "ops":
            never.wait(20)
        return ""

    made.receivers.judge = judge
    begun = time.monotonic()
    made.tell(told(1))
    took = time.monotonic() - begun
    begun = time.monotonic()
    made.tell(told(2))
    again = time.monotonic() - begun
    never.set()
    assert REQUEST_WAITS_SECONDS <= took < REQUEST_WAITS_SECONDS + 0.5
    assert again < 0.5
    assert [case for route, case in made.receivers.cases if route == "shop"] == ["1", "2"]


def test_what_other_requests_store_meanwhile_goes_along(scene: Callable[..., RouteScene]) -> None:
    """Whoever sends by a route sends what came while the receiver took its time: none of it waits for a sweep."""
    made = scene(routes("shop"))
    asked, answers = Event(), Event()

    def judge(_route: str, _routed: RoutedNotice) -> str:
        asked.set()
        answers.wait(20)
        return ""

    made.receivers.judge = judge
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(made.tell, told(1))
        assert asked.wait(20)
        made.tell(told(2))
        made.tell(told(3))
        answers.set()
        first.result()
    wait_until(lambda: made.waiting == 0, what="the notices of three requests")
    assert made.receivers.cases == [("shop", "1"), ("shop", "2"), ("shop", "3")]


def test_what_is_due_is_left_to_the_sweeps(scene: Callable[..., RouteScene]) -> None:
    """A receiver took longer than the minute in which no sweep looks: what came meanwhile is said by one of two."""
    made = scene(routes("shop"))
    made.receivers.judge = lambda _route, _routed: str(made.clock.move(seconds=61))
    made.tell(told(1), told(2))
    assert made.receivers.cases == [("shop", "1")]
    made.sweep(seconds=1)
    assert made.receivers.cases == [("shop", "1"), ("shop", "2")]


def test_an_address_is_read_again_after_a_failure(scene: Callable[..., RouteScene], tmp_path: Path) -> None:
    """So that a secret's new version counts; a missing file is told by its path, and the notice waits."""
    made = scene(routes("shop"))
    path = tmp_path / "secrets" / "shop-hook" / "address"
    path.unlink()
    made.tell(told(1))
    (line,) = made.said("notice_waits")
    assert (line["refused"], made.receivers.got) == ("address_unreadable", [])
    path.write_text("other")
    made.sweep(minutes=2)
    assert made.receivers.cases == [("other", "1")]


def test_an_unreadable_secret_says_where_it_should_be(tmp_path: Path) -> None:
    """Its content is never said."""
    folder = mount(tmp_path, {"shop": SECRET})
    assert SECRET in read_address(str(folder), "shop-hook")
    (folder / "bad").mkdir()
    (folder / "bad" / "address").write_bytes(b"\xff\xfe")
    for name in ("none", "bad"):
        with pytest.raises(ApiError, match=f"mount the secret {name} there"):
            read_address(str(folder), name)


def test_a_fault_of_the_store_ends_a_lane_alone(
    scene: Callable[..., RouteScene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent and not taken out is said again, once, under the same id."""
    made = scene(routes("shop"))
    real = outbox.delivered

    def failing(*_: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(outbox, "delivered", failing)
    made.tell(told(1))
    monkeypatch.setattr(outbox, "delivered", real)
    made.sweep(minutes=2)
    made.sweep(minutes=9)
    assert [routed.id for _, routed in made.receivers.got] == [made.receivers.got[0][1].id] * 2
    (line,) = made.said("internal_error")
    assert (line["route"], "s3cr3t" in str(line)) == ("shop", False)
