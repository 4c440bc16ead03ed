"""Whatever an entry of the store is, each delivery and each sweep ends in a reason of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from string import ascii_lowercase

import pytest
from msgspec.structs import replace

from scc_responder.domain.clock import utc_now
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity, NoticeSubject
from scc_responder.domain.store import CasStore, Entry, SearchedBy
from scc_responder.pipeline.later.left_notices import leave_notice
from scc_responder.pipeline.looks.look_sweep import look_sweep
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE
from tests.kits.compromised_pod import small
from tests.kits.responder import RAILS, Deployment, api_of, finding_about, policy, write_policies

SPOILT = [
    pytest.param(b'{"schema": 1, "place": "\xff", "sha256": "\xff", "case": "\xff", "kind": "\xff"}', id="no-utf-8"),
    pytest.param(b'{"schema": 1, "place": ' + b"[" * 40_000, id="too-deep"),
    pytest.param(b"[1]", id="of-another-form"),
    pytest.param(b"", id="empty"),
]
STEPS = ("isolate_pod", "capture_evidence", "delete_pod {allow_standalone: true}")
ZONE = re.compile(rb'(T[0-9:.]+)(?:Z|[+]00:00)"')
NOTICE = Notice(kind=NoticeKind.POLICY, severity=NoticeSeverity.ERROR, reason="error_budget_spent", facts={})


def entries(store: CasStore) -> list[Entry]:
    """All that is stored."""
    return [entry for letter in ascii_lowercase for entry in store.scan(letter).entries]


class Night:
    """Findings about two pods come, and more of them; a limit holds some of what is due, and first shots wait."""

    def __init__(self, folder: Path, cluster: SimulatedCluster) -> None:
        contain = policy(*STEPS) + "limits:\n  - {most: 1, within: 1h}\n"
        policies = write_policies(folder / "policies", contain, guardrails=RAILS + "warm_up: 1s\n")
        self.made = Deployment(folder, api_of(cluster), policies)
        self.store = self.made.services.store
        self._pods = cluster.objects("Pod", "shop")[:2]
        self._numbers = count()
        self._known = [self._listed(), self._listed()]

    def _listed(self) -> bytes:
        number = next(self._numbers)
        document = finding_about(self._pods[number % 2], finding_id=f"{number:032x}")
        self.made.list_finding(document, str(number))
        return document

    def put(self, key: str, value: bytes) -> None:
        """Store over what is there now; a case is one that the next sweep reads."""
        by: SearchedBy = {"unfinished": True, "due_at": utc_now()} if key.startswith("case/") else {}
        now = self.store.get(key)
        if now:
            self.store.replace(key, value, now.version, **by)
        else:
            self.store.create(key, value, **by)

    def goes_on(self) -> Counter[str]:
        """The known findings again, one that is new, what is none, and both sweeps: how each of them ends."""
        self.made.lines.clear()
        for document in (*self._known, self._listed()):
            self.made.deliver(document)
        self.made.push(b"no finding")
        for swept in (sweep, look_sweep):
            swept(HERE, "127.0.0.1", self.made.services)
        assert [line["traceback"] for line in self.made.lines if "traceback" in line] == []
        return Counter(line["logging.googleapis.com/labels"]["reason"] for line in self.made.lines)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """One for all damages: each is taken back."""
    with SimulatedCluster(stop_seconds=0) as running:
        made = Night(tmp_path_factory.mktemp("night"), small(running))
        made.goes_on()
        made.made.set_clock(lambda: utc_now() + timedelta(minutes=5))
        made.store = made.made.services.store
        made.goes_on()
        yield made


KINDS = ["accounts", "case", "control", "first_shot", "ledger", "left_notice", "rejected", "sweep", "told", "watch"]
"""What such a night leaves in the store, by the first part of the key."""


@pytest.mark.parametrize("value", SPOILT)
@pytest.mark.parametrize("kind", KINDS)
def test_what_makes_no_sense_ends_in_a_reason(night: Night, kind: str, value: bytes) -> None:
    """Each delivery is answered and both sweeps reach their ends; no entry is our own fault, whatever is in it."""
    leave_notice(night.store, NOTICE)
    met = [entry for entry in entries(night.store) if entry.key.startswith(f"{kind}/")]
    assert met
    for entry in met[:2]:
        night.put(entry.key, value)
        ended = night.goes_on()
        assert ended["internal_error"] == 0
        assert ended["swept"] == ended["looked"] == 1
        night.put(entry.key, entry.value)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"sweep", "told"}])
def test_a_time_without_a_zone_ends_in_a_reason(night: Night, kind: str) -> None:
    """It compares with no other: what has such a time makes no sense, too."""
    leave_notice(night.store, replace(NOTICE, subject=NoticeSubject(event_time=utc_now())))
    met = [entry for entry in entries(night.store) if entry.key.startswith(f"{kind}/")]
    spoilt = [(entry, ZONE.sub(rb'\1"', entry.value)) for entry in met]
    assert any(entry.value != value for entry, value in spoilt)
    for entry, value in spoilt[:2]:
        night.put(entry.key, value)
        ended = night.goes_on()
        assert (ended["internal_error"], ended["swept"], ended["looked"]) == (0, 1, 1)
        night.put(entry.key, entry.value)


def test_all_that_such_a_night_stores_is_tried(night: Night) -> None:
    """A new kind of entry has a line above."""
    leave_notice(night.store, NOTICE)
    assert {entry.key.partition("/")[0] for entry in entries(night.store)} - {"reservation"} == {*KINDS}
