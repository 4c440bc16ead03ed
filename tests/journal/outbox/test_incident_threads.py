"""Cases of one incident share a thread and a page, whatever comes first; what is worse, or elsewhere, pages again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import Conflict
from scc_responder.domain.notices.notice import Notice, NoticeKind
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore
from scc_responder.entrypoint.console.incidents import incidents
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.outbox import incident_threads
from scc_responder.journal.outbox.incident_threads import INCIDENT_WINDOW, incident_thread
from scc_responder.journal.outbox.outbox import BY_CASE, NoticeThread
from tests.kits.notices import NOON, told

POD = ("pod P u1",)


def of(
    number: int, minutes: float = 0, about: tuple[str, ...] = POD, *, severity: str = "HIGH", **subject: Any
) -> Notice:
    """A notice about a case of its own, whose event was so many minutes after noon."""
    at = NOON + timedelta(minutes=minutes)
    level = subject.pop("level", "WARNING")
    return told(number, severity=severity, level=level, about=about, event_time=at, **subject)


def thread(store: CasStore, notice: Notice, environment: str = "prod") -> NoticeThread:
    return incident_thread(store, notice, environment)


def case(number: int) -> str:
    return f"{number:012x}"


def test_a_case_that_joins_is_quiet(store: CasStore) -> None:
    """It goes into the first case's thread and alert. Asked again, each gets the same answer."""
    for _ in range(2):
        assert thread(store, of(1)) == NoticeThread(id=case(1), alert=case(1))
        assert thread(store, of(2)) == NoticeThread(id=case(1), alert=case(1), is_quiet=True)


@pytest.mark.parametrize(
    ("worse", "environment"),
    [
        pytest.param({"severity": "CRITICAL"}, "prod", id="severity"),
        pytest.param({"severity": ""}, "prod", id="a severity that nobody knows"),
        pytest.param({"namespace": "till"}, "prod", id="namespace"),
        pytest.param({"surface": "rbac"}, "prod", id="surface"),
        pytest.param({}, "test", id="environment"),
        pytest.param({"severity": "HIGH", "is_held": True}, "prod", id="held"),
    ],
)
def test_what_is_worse_or_elsewhere_pages_again(store: CasStore, worse: dict[str, Any], environment: str) -> None:
    """With an alert of its own, in the same thread, also after a crash in between; the next like it is quiet."""
    known = {"severity": "MEDIUM", "namespace": "shop", "surface": "pod"}
    thread(store, of(1, **known))
    for _ in range(2):
        assert thread(store, of(2, **{**known, **worse}), environment) == NoticeThread(id=case(1), alert=case(2))
    after = thread(store, of(3, **{**known, **worse}), environment)
    assert after.is_quiet is (not worse.get("is_held"))
    assert thread(store, of(4, **known)).is_quiet


def test_what_was_undone_by_others_pages(store: CasStore) -> None:
    """Somebody works against the response: of a severe finding that is never quiet, below HIGH it is."""
    undone = {
        severity: replace(of(2, severity=severity), kind=NoticeKind.UNDONE_BY_OTHERS) for severity in ("LOW", "HIGH")
    }
    thread(store, of(1))
    assert [thread(store, undone[severity]).is_quiet for severity in ("LOW", "HIGH")] == [True, False]


def test_what_needs_people_pages_after_what_did_not(store: CasStore) -> None:
    """A first case that asked nothing of anybody does not silence one that does."""
    thread(store, of(1, level="NOTICE"))
    assert not thread(store, of(2, level="WARNING")).is_quiet


def test_an_incident_ends_with_its_last_case(store: CasStore) -> None:
    """Its alert is over then, and not before; a case with an alert of its own ends that."""
    notices = [of(1), of(2), of(3, namespace="till")]
    for notice in notices:
        thread(store, notice)
    over = [replace(each, subject=replace(each.subject, is_over=True)) for each in notices]
    ended = [thread(store, over[number]) for number in (0, 2, 1)]
    assert [each.closes for each in ended] == [(case(1),), (case(3),), (case(2), case(1))]
    assert [each.ends_alert for each in ended] == [False, True, True]
    assert thread(store, over[1]) == ended[2]
    later = thread(store, of(4))
    assert (later.id, later.is_quiet) == (case(1), False)


def test_a_case_that_is_over_at_once_opens_no_alert(store: CasStore) -> None:
    """So nothing has to be resolved in a storm of them."""
    ended = [thread(store, of(number, is_over=True, level="NOTICE")) for number in (1, 2)]
    assert [each.ends_alert for each in ended] == [False, False]
    assert {each.id for each in ended} == {case(1)}


def test_the_window_has_an_edge(store: CasStore) -> None:
    """An hour to the microsecond, before and after, from the nearest event of the incident."""
    hour, late = INCIDENT_WINDOW, timedelta(microseconds=1)
    events = [timedelta(0), hour, -hour, 2 * hour + late, -2 * hour - late]
    found = []
    for number, moment in enumerate(events, 1):
        notice = of(number)
        found.append(thread(store, replace(notice, subject=replace(notice.subject, event_time=NOON + moment))).id)
    assert found == [case(1), case(1), case(1), case(4), case(5)]


def test_old_events_that_come_late_are_one_incident_too(store: CasStore) -> None:
    """Redelivered after newer ones, each does not begin an incident of its own."""
    assert [thread(store, of(number, minutes)).id for number, minutes in ((1, 0), (2, -600), (3, -590), (4, 5))] == [
        case(1),
        case(2),
        case(2),
        case(1),
    ]


def test_nothing_that_is_known_joins_nothing(store: CasStore) -> None:
    """Such a notice goes by its case, and leaves nothing behind."""
    assert thread(store, of(1, about=())) == BY_CASE
    assert store.scan("incident/").entries == ()
    thread(store, of(2))
    thread(store, of(3))
    assert thread(store, of(3, about=())).id == case(2)


def test_a_case_stays_where_it_was_told(store: CasStore) -> None:
    """Two threads that a later case joins go on side by side; what follows goes into the elder."""
    one, other, both = ("pod P u1",), ("pod P u2",), ("pod P u1", "pod P u2")
    assert [thread(store, of(*each)).id for each in ((1, 0, one), (2, 1, other))] == [case(1), case(2)]
    assert thread(store, of(3, 2, both)).id == case(1)
    assert thread(store, of(2, 1, other)).id == case(2)
    assert thread(store, of(4, 3, other)).id == case(1)


def test_a_storm_at_once_is_one_thread_and_one_page(store: CasStore) -> None:
    """From many processes, about one workload and a pod each; what races is tried again."""
    notices = [of(number, about=("workload P w", f"pod P {number}")) for number in range(1, 41)]
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(lambda notice: thread(store, notice), notices)]
    assert len({each.id for each in found}) == 1
    assert sum(not each.is_quiet for each in found) == 1


def test_whoever_tells_first_opens_the_alert(store: CasStore) -> None:
    """Also a case that joins one of which nothing was told yet: then that one is quiet. There is one alert."""
    incident_threads._joined(store, of(1))
    for _ in range(2):
        assert thread(store, of(2)) == NoticeThread(id=case(1), alert=case(1))
        assert thread(store, of(1)) == NoticeThread(id=case(1), alert=case(1), is_quiet=True)


def test_what_is_kept_of_an_incident_is_bounded(store: CasStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is no room for pages each time: somebody is told too often, and never too seldom."""
    monkeypatch.setattr(incident_threads, "_MOST_TOLD", 8)
    found = [thread(store, of(number, namespace=f"n{number // 2}")).is_quiet for number in range(8)]
    assert found == [False, True, False, False, False, False, False, False]
    monkeypatch.setattr(incident_threads, "_MOST_SPANS", 2)
    for number in range(20, 30):
        thread(store, of(number, number * 200))
    (entry,) = store.scan("incident/about/").entries
    assert entry.value.count(b'"first"') == 2


def test_whoever_loses_every_race_pages(store: CasStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its case, as if there were no incidents."""

    def lost(*_: object) -> None:
        raise Conflict(Reason.CONFLICT, "k")

    monkeypatch.setattr(incident_threads, "_joined", lost)
    assert thread(store, of(1)) == BY_CASE


KEYS = st.lists(st.sampled_from(["workload P w1", "workload P w2", "pod P u1", "pod P u2", "pod P u3"]), max_size=2)
EVENTS = st.lists(st.tuples(st.integers(0, 200), KEYS.map(lambda keys: tuple(sorted(set(keys))))), max_size=9)


def viewed(events: list[tuple[int, tuple[str, ...]]]) -> dict[str, str]:
    """The incident of each case, as the view has it."""
    records = [
        CaseRecord(
            finding_key=f"{number:012x}".ljust(64, "0"),
            finding_name="f",
            event_time=NOON + timedelta(minutes=minutes),
            digest="d",
            decision={"subject": {"about": [*about]}},
        )
        for number, (minutes, about) in enumerate(events)
    ]
    return {record.finding_key[:12]: incident.id for incident in incidents(records) for record in incident.records}


@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
@given(EVENTS, st.randoms(use_true_random=False))
def test_no_order_joins_what_is_not_one_incident(events: list[tuple[int, tuple[str, ...]]], random: Any) -> None:
    """Whatever comes first, a thread is within one incident of the view, and each incident that is told pages."""
    seen = viewed(events)
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "store.db")
        found: dict[str, NoticeThread] = {}
        for number in random.sample(range(len(events)), len(events)):
            minutes, about = events[number]
            found[case(number)] = thread(store, of(number, minutes, about))
        store.close()
    threads = {number: each.id or number for number, each in found.items()}
    assert all(seen[number] == seen[each] for number, each in threads.items())
    assert all(not found[number].is_quiet for number in set(threads.values()))


@given(st.lists(st.integers(0, 60), min_size=1, max_size=3))
@settings(deadline=None, max_examples=20)
def test_within_an_hour_no_order_parts_an_incident(minutes: list[int]) -> None:
    """Events of one pod that are all within the window of each other are one thread, and page once."""
    for order in permutations(range(len(minutes))):
        with TemporaryDirectory() as folder:
            store = SqliteStore(Path(folder) / "store.db")
            found = [thread(store, of(number, minutes[number])) for number in order]
            store.close()
        assert {each.id for each in found} == {case(order[0])}
        assert [each.is_quiet for each in found] == [False] + [True] * (len(order) - 1)
