"""Whether the kill switch lets policies go as far as they say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.mode import Mode
from scc_responder.guard.kill_switch import GLOBAL, Setting, key_of
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.persons_levers import clear
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope
from scc_responder.guard.timed.timed_levers import limit
from scc_responder.guard.trust.spend import UNTIL_RAISED
from scc_responder.workbench.doctor.kill_switch_checks import examine_control
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.responder import policy, write_policies

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE = "projects/example-project/locations/europe-west1/clusters/prod-1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty store."""
    opened = SqliteStore(tmp_path / "store.db")
    yield opened
    opened.close()


def turned(store: SqliteStore, mode: Mode, cluster: str = "") -> None:
    SwitchDocuments(store).set(Setting(mode=mode, at=NOON, by="ann", reason="test"), cluster)


def reasons(store: SqliteStore, folder: Path, mode: str = "enforce") -> dict[str, str]:
    policies = load_policies(write_policies(folder, policy("label_pod", mode=mode)))
    return {check.probed: check.reason for check in examine_control(store, policies)}


@pytest.mark.parametrize("mode", ["enforce", "dry_run"])
def test_no_document_is_a_fault(store: SqliteStore, tmp_path: Path, mode: str) -> None:
    """Of a rehearsing deployment too: an alert goes off until a person says how far it may go."""
    (check,) = examine_control(store, load_policies(write_policies(tmp_path, policy("label_pod", mode=mode))))
    assert (check.probed, check.reason) == (GLOBAL, "control_missing")
    assert check.fix.startswith(f"scc-responder control set {mode} ")


@pytest.mark.parametrize(
    ("mode", "reason"), [(Mode.ENFORCE, ""), (Mode.APPROVE, "control_lowers"), (Mode.DISABLED, "control_disabled")]
)
def test_a_lower_switch_is_a_fault(store: SqliteStore, tmp_path: Path, mode: Mode, reason: str) -> None:
    """By how far policies go."""
    turned(store, mode)
    assert reasons(store, tmp_path / "p") == {GLOBAL: reason}


def test_only_clusters_that_lower_are_told(store: SqliteStore, tmp_path: Path) -> None:
    """A cluster whose document enforces needs no line."""
    turned(store, Mode.ENFORCE)
    turned(store, Mode.ENFORCE, ONE)
    assert reasons(store, tmp_path / "a") == {GLOBAL: ""}
    turned(store, Mode.DRY_RUN, ONE)
    assert reasons(store, tmp_path / "b") == {GLOBAL: "", key_of(ONE): "control_lowers"}


def test_a_nonsense_document_is_named(store: SqliteStore, tmp_path: Path) -> None:
    """With the command that sets it anew."""
    store.create(GLOBAL, b"nonsense")
    assert reasons(store, tmp_path / "p") == {GLOBAL: "control_unusable"}


def test_a_spent_budget_is_told_until_a_person_ends_it(store: SqliteStore, tmp_path: Path) -> None:
    """A ceiling that ends by itself is not: who set it knows."""
    turned(store, Mode.ENFORCE)
    now = datetime.now(UTC)
    spent = TimedCeiling(
        scope=TimedScope.ERROR_BUDGET, name="contain", mode=Mode.APPROVE, reason="r", by="b", at=now, until=UNTIL_RAISED
    )
    limit(SwitchDocuments(store), spent)
    limit(SwitchDocuments(store), replace(spent, scope=TimedScope.POLICY, until=now + timedelta(hours=1)))
    told = [reason for reason in reasons(store, tmp_path / "a").values() if reason]
    assert told == ["error_budget_spent"]
    clear(SwitchDocuments(store), [spent], "it is mended")
    assert [reason for reason in reasons(store, tmp_path / "b").values() if reason] == []
