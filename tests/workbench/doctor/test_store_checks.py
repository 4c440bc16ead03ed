"""What doctor makes of the journal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.journal.journal import Journal
from scc_responder.settings import Settings
from scc_responder.workbench.doctor.deployed import Deployment
from scc_responder.workbench.doctor.store_checks import Ask, examine_store, look_through
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.responder import policy, write_policies

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_unreadable_records_are_counted_and_named(tmp_path: Path) -> None:
    """Cases of a later version are told with one of them and why, and the others count all the same."""
    store = SqliteStore(tmp_path / "journal.db")
    known = {"finding_name": "f", "event_time": NOON, "digest": "d", "updated_at": NOON}
    record = CaseRecord(finding_key="0" * 64, decision={"policy_digest": "of noon"}, **known)
    store.create(f"case/{record.finding_key}", encode(record))
    for number in (1, 2):
        store.create(f"case/{number:064}", b'{"schema":3}')
    folder = write_policies(tmp_path / "policies", policy("label_pod"))
    settings = Settings(policies=folder, clusters=(), sources=("1",), store="sqlite:///x.db")
    ask = Ask(settings=settings, deployment=Deployment(), policies=load_policies(folder))
    checks = {check.name: check for check in examine_store(store, ask, lambda: datetime.now(UTC))}
    store.close()
    told = checks["records"]
    assert (told.reason, told.probed) == ("record_newer", "2 of 3 cases")
    assert "case 000000000000: schema 3, of 2" in told.why
    assert "deploy the later version again" in told.fix
    assert checks["policies.digest"].reason == "policy_digest_differs"


def test_the_latest_decision_counts(tmp_path: Path) -> None:
    """Of all cases the latest decision counts, however they are ordered; so many are read and no more."""
    store = SqliteStore(tmp_path / "journal.db")
    for number in range(450):
        minute = timedelta(minutes=(number * 7) % 450)
        record = CaseRecord(
            finding_key=f"{number:064}",
            finding_name="f",
            event_time=NOON,
            digest="d",
            reason="source_not_allowed" if number % 2 else "done",
            updated_at=NOON + minute,
            decision={"policy_digest": f"of minute {minute.total_seconds() / 60:g}"},
        )
        store.create(f"case/{record.finding_key}", encode(record))
    journal = Journal(store, lambda: NOON)
    kept, fewer = look_through(journal), look_through(journal, most=300)
    store.close()

    assert (kept.digest, kept.looked_through, kept.complete) == ("of minute 449", 450, True)
    assert kept.refused.keys() == {"source_not_allowed"}
    assert kept.refused["source_not_allowed"].updated_at == NOON + timedelta(minutes=449)
    assert (fewer.looked_through, fewer.complete) == (300, False)
