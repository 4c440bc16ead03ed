"""The account of a closed case is an object of its bundle: create-only, in a signed manifest, and verified with it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scc_responder.adapters.local.signing_key import SigningKey, read_public_key
from scc_responder.domain.clock import utc_now
from scc_responder.domain.finding import case_id
from scc_responder.journal.account.account import account_of
from scc_responder.pipeline.later.later_accounts import ACCOUNT_NOTES, keep_accounts, note_account
from scc_responder.pipeline.later.later_notes import ASKED_AFTER
from scc_responder.workbench.bundle.bundle_check import case_folder, check_bundle
from scc_responder.workbench.bundle.bundle_report import BundleReport
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.account_cases import AccountCase, held_case, waiting_case
from tests.kits.responder import deployed, finding_about, policy
from tests.pipeline.looks.test_look_sweep import looked
from tests.pipeline.test_sweep import swept


@pytest.fixture
def case(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> AccountCase:
    """A pod was cut off and kept, by a responder that signs its evidence; a minute later it was looked at."""
    made = deployed(tmp_path, cluster, policy("capture_evidence", "isolate_pod", "notify"))
    key = SigningKey(tmp_path / "key.pem")
    key.sign(bytes(32))
    made.services.signer = key
    document = finding_about(pod)
    made.respond_to(document)
    looked_at = utc_now() + timedelta(seconds=90)
    made.set_clock(lambda: looked_at)
    looked(made)
    return AccountCase(made, made.case(document), document, pod, cluster)


def later(case: AccountCase, wait: timedelta = ASKED_AFTER * 2) -> int:
    """How many accounts a sweep keeps that much later."""
    now = utc_now() + wait
    case.deployment.set_clock(lambda: now)
    return keep_accounts(case.deployment.services)


def kept(case: AccountCase) -> list[dict[str, Any]]:
    """The accounts in the bundle."""
    return [json.loads(path.read_text()) for path in sorted(case.deployment.folder.glob("evidence/**/account-*.json"))]


def checked(case: AccountCase) -> BundleReport:
    """What `case verify` finds in the bundle."""
    name = case_id(case.record.finding_key)
    key = read_public_key(case.deployment.folder / "key.pub.pem")
    return check_bundle(case_folder(case.deployment.folder / "evidence", name), name, key)


def test_a_closed_case_has_its_account_in_the_bundle(case: AccountCase) -> None:
    """Once, minutes after it was closed, as its record says it then; the manifest that names it is signed."""
    before = checked(case)
    assert (later(case, ASKED_AFTER / 2), later(case), later(case, ASKED_AFTER * 3)) == (0, 1, 0)
    (account,) = kept(case)
    after = checked(case)
    expected = msgspec.to_builtins(account_of(case.deployment.case(case.document)))
    assert account["case"] == case_id(case.record.finding_key)
    assert account["answers"] == json.loads(json.dumps(expected["answers"]))
    assert before.is_verified
    assert (after.is_verified, after.findings) == (True, ())
    assert after.objects == before.objects + 1
    assert len(after.manifests) == len(before.manifests) + 1


def test_an_account_that_was_changed_is_noticed(case: AccountCase) -> None:
    """As every other object of the bundle."""
    later(case)
    path = next(case.deployment.folder.glob("evidence/**/account-*.json"))
    path.chmod(0o600)
    path.write_text(path.read_text().replace("isolate_pod", "nothing"))
    report = checked(case)
    assert not report.is_verified
    assert {finding.file for finding in report.findings} == {path.name}


_CUTS_OFF = ("capture_evidence", "isolate_pod", "notify")
_UNWATCHED: dict[str, tuple[str, dict[str, str]]] = {
    "it keeps evidence alone": (policy("capture_evidence", "notify"), {}),
    "it was a rehearsal": (policy(*_CUTS_OFF, mode="dry_run"), {}),
    "looks are off": (policy(*_CUTS_OFF), {"looks": "never"}),
}


@pytest.mark.parametrize("name", _UNWATCHED)
def test_a_case_that_no_look_visits_has_its_account(
    name: str, tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """Once, minutes after it ended, in a manifest of its own: what was sealed before is the same, byte for byte."""
    asked, environment = _UNWATCHED[name]
    made = deployed(tmp_path, cluster, asked, **environment)
    key = SigningKey(tmp_path / "key.pem")
    key.sign(bytes(32))
    made.services.signer = key
    document = finding_about(pod)
    made.respond_to(document)
    case = AccountCase(made, made.case(document), document, pod, cluster)
    sealed = {path: path.read_bytes() for path in made.folder.glob("evidence/**/*") if path.is_file()}
    assert sealed
    assert (later(case, ASKED_AFTER / 2), later(case), later(case, ASKED_AFTER * 3)) == (0, 1, 0)
    (account,) = kept(case)
    assert (account["case"], account["state"]) == (case_id(case.record.finding_key), case.record.state)
    assert {path: path.read_bytes() for path in sealed} == sealed
    report = checked(case)
    assert (report.is_verified, report.findings) == (True, ())
    assert len(report.manifests) == len([path for path in sealed if path.name.startswith("manifest-")]) + 1


def test_a_case_that_a_look_visits_waits_for_it(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Its end leaves no note: the account is to say what the look saw."""
    made = deployed(tmp_path, cluster, policy(*_CUTS_OFF))
    made.respond_to(finding_about(pod))
    assert made.services.store.scan(ACCOUNT_NOTES, limit=10).entries == ()


@pytest.mark.parametrize("answer", ["reject", "nobody"])
def test_a_plan_that_comes_to_nothing_has_its_account(answer: str, tmp_path: Path) -> None:
    """Whether a person rejects it or nobody answers in time: what was kept before says how it ended."""
    with waiting_case(tmp_path) as running:
        store = running.deployment.services.store
        assert running.record.plan
        assert store.scan(ACCOUNT_NOTES, limit=10).entries == ()
        wait = ASKED_AFTER
        if answer == "reject":
            running.deployment.answer(running.document, answer)
        else:
            wait = running.record.plan.expires_at - utc_now() + timedelta(seconds=1)
            expired_at = utc_now() + wait
            running.deployment.set_clock(lambda: expired_at)
            swept(running.deployment)
        assert len(store.scan(ACCOUNT_NOTES, limit=10).entries) == 1
        assert later(running, wait + ASKED_AFTER * 2) == 1
        (account,) = kept(running)
        assert account["state"] == "held"


@pytest.mark.parametrize("made", [waiting_case, held_case], ids=["waiting", "held"])
def test_a_case_that_is_not_over_is_waited_for(made: Any, tmp_path: Path) -> None:
    """A plan that waits has no account yet; a case that was held has one, if it kept evidence."""
    with made(tmp_path) as running:
        note_account(running.record, running.deployment.services)
        is_over = running.record.state not in {"open", "waiting"}
        notes = running.deployment.services.store.scan(ACCOUNT_NOTES, limit=10).entries
        assert later(running) == (len(notes) if is_over else 0)
        assert len(kept(running)) == (len(notes) if is_over else 0)
        if not is_over:
            assert len(notes) == 1
            running.deployment.answer(running.document, "reject")
            assert later(running, ASKED_AFTER * 4) == 1
            (account,) = kept(running)
            assert account["state"] != "waiting"


def test_a_sweep_keeps_accounts_and_tells_how_many(case: AccountCase) -> None:
    """In its log line; the next one has none to keep."""
    now = utc_now() + ASKED_AFTER * 2
    case.deployment.set_clock(lambda: now)
    told = []
    for _ in range(2):
        swept(case.deployment)
        told.append(case.deployment.line.get("accounts_kept"))
    assert told == [1, None]
    assert len(kept(case)) == 1
