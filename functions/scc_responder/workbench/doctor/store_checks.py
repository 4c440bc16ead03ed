"""Whether cases can be stored, and what the stored ones show: policies, heartbeat, refused findings, held clusters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from shlex import quote
from typing import Any

import msgspec

from scc_responder.domain.errors import AlreadyExists, ResponderError, RetryableError, StoreError
from scc_responder.domain.finding import case_id
from scc_responder.domain.ports import Clock
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FindingName, source_of
from scc_responder.domain.store import CasStore
from scc_responder.domain.value import Value
from scc_responder.guard.kill_switch import NAME as CONTROL
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from scc_responder.journal.listed_cases import Unreadable, cases_of
from scc_responder.pipeline.heartbeat import HEARTBEAT_ID
from scc_responder.policy.policy_set import PolicySet
from scc_responder.settings import VARIABLE_PREFIX, Settings
from scc_responder.workbench.doctor.check import OR, THEN, Check, fault, ok, probe_failed, skipped, unknown
from scc_responder.workbench.doctor.clock_check import judge_clock
from scc_responder.workbench.doctor.deployed import Deployment
from scc_responder.workbench.doctor.held_clusters import examine_held_clusters, note_cluster
from scc_responder.workbench.doctor.kill_switch_checks import examine_control
from scc_responder.workbench.doctor.signing_checks import examine_unsigned

PROBE = "doctor/probe"
"""The key of doctor's own entry: created once, then replaced; it expires after a day."""

MOST_RECORDS = 2000
"""Most cases that are read to find the latest: they are stored by finding, not by time."""

_LIST = "scc-responder case list --store STORE"
_KEEP = timedelta(days=1)
_PAGE = 200
_REFUSED = {
    Reason.SOURCE_NOT_ALLOWED: ("findings.sources", "a source that settings do not list", "source_ids"),
    Reason.CLUSTER_NOT_LISTED: ("findings.clusters", "a cluster that settings do not list", "clusters"),
}


class StoredCases(Value, frozen=True, kw_only=True):
    """What the records tell.

    `refused`: the latest record of each reason that says settings leave something out. `clusters`: the latest of each
    cluster that tells whether anything can be done there. `unreadable`: some that this version cannot read.
    """

    digest: str = ""
    decided_at: datetime | None = None
    refused: dict[str, CaseRecord] = {}
    clusters: dict[str, CaseRecord] = {}
    unreadable: tuple[Unreadable, ...] = ()
    looked_through: int = 0
    complete: bool = True


class Ask(Value, frozen=True, kw_only=True):
    """What the store is judged by. `policies`: the local ones, where they load."""

    settings: Settings
    deployment: Deployment
    policies: PolicySet | None


def examine_store(store: CasStore, ask: Ask, clock: Clock) -> Iterator[Check]:
    """Everything that the store can tell; where it cannot be used, that alone."""
    probed = ask.settings.store
    try:
        before = clock()
        entry = _written(store, before)
        after = clock()
    except ResponderError as error:
        yield probe_failed("store", probed, error, _fix(probed))
        return
    yield ok("store", probed, "create, read, replace and list")
    yield judge_clock("clock.store", probed, entry, (before, after))
    yield from examine_control(store, ask.policies)
    yield from examine_unsigned(store)
    yield from _records(store, ask, clock)


def _written(store: CasStore, now: datetime) -> datetime:
    """Use every permission that the journal needs on an entry of our own: the store's time. Raises StoreError."""
    value = msgspec.json.encode({"doctor": now})
    store.get(PROBE)  # first: where nobody answers, nothing is left in doubt
    with suppress(AlreadyExists):  # asked for all the same: who may not create is told so first
        store.create(PROBE, value, keep=_KEEP)
    entry = store.get(PROBE)
    if entry is not None:
        entry = store.replace(PROBE, value, entry.version, keep=_KEEP)
    store.scan(PROBE, limit=1)
    if entry is None:
        raise StoreError(Reason.ENTRY_LOST, f"{PROBE} was written, and is not there")
    return entry.server_time


def _fix(address: str) -> str:
    if address.startswith("sqlite:"):
        return f"{VARIABLE_PREFIX}STORE: give a path that can be written"
    project, database = address.removeprefix("firestore://").split("/")[:2]
    found = f"gcloud firestore databases describe --project={project} --database={quote(database)}"
    return f"{found}{OR}terraform apply, which makes it and grants the permissions (google_project_iam_member.store)"


def _records(store: CasStore, ask: Ask, clock: Clock) -> Iterator[Check]:
    journal = Journal(store, clock)
    try:
        kept = look_through(journal)
        yield from _unread(kept)
        yield _digest(kept, ask.policies)
        yield from _refusals(kept)
        yield from examine_held_clusters(kept.clusters, f"{kept.looked_through} cases", clock())
        yield _heartbeat(journal, ask, clock())
    except (StoreError, RetryableError) as error:
        yield probe_failed("records", ask.settings.store, error, _LIST)


def look_through(journal: Journal, most: int = MOST_RECORDS) -> StoredCases:
    """What the first `most` records tell. Raises StoreError."""
    totals: dict[str, Any] = {"digest": "", "decided_at": None, "unreadable": (), "clusters": {}}
    refused: dict[str, CaseRecord] = {}
    count, cursor = 0, None
    while True:
        page = cases_of(journal.cases(cursor, min(_PAGE, most - count)))
        for record in page.records:
            _note(record, totals, refused)
            note_cluster(record, totals["clusters"])
        totals["unreadable"] += page.unreadable
        count, cursor = count + len(page.records) + len(page.unreadable), page.cursor
        if cursor is None or count >= most:
            return StoredCases(**totals, refused=refused, looked_through=count, complete=cursor is None)


def _unread(kept: StoredCases) -> Iterator[Check]:
    """Each reason for which cases cannot be read, with one of them."""
    for reason, items in _by_reason(kept.unreadable).items():
        probed = f"{len(items)} of {kept.looked_through} cases"
        why = f"nothing is done on them: case {case_id(items[0].finding_key)}: {items[0].why}"
        later = f"Terraform variable bundle: deploy the later version again, which wrote them{OR}"
        yield fault("records", probed, reason, why, f"{later if reason == Reason.RECORD_NEWER else ''}{_LIST}")


def _by_reason(unreadable: Sequence[Unreadable]) -> dict[str, list[Unreadable]]:
    found: dict[str, list[Unreadable]] = {}
    for item in unreadable:
        found.setdefault(item.reason, []).append(item)
    return found


def _note(record: CaseRecord, totals: dict[str, Any], refused: dict[str, CaseRecord]) -> None:
    digest, when = record.decision.get("policy_digest"), record.updated_at
    if digest and when and (totals["decided_at"] is None or when > totals["decided_at"]):
        totals |= {"digest": str(digest), "decided_at": when}
    last = refused.get(record.reason)
    if record.reason in _REFUSED and when and (last is None or last.updated_at is None or when > last.updated_at):
        refused[record.reason] = record


def _digest(kept: StoredCases, policies: PolicySet | None) -> Check:
    name, probed = "policies.digest", f"the latest of {kept.looked_through} cases"
    if policies is None:
        return skipped(name, probed, "policies_invalid", "the local policies do not load")
    if not kept.digest or kept.decided_at is None:
        why = "no case holds a decision yet, and only decisions name the policies that are deployed"
        return unknown(name, probed, "nothing_decided_yet", why, "wait for a finding, or send one in dry-run")
    when = f"{kept.decided_at:%Y-%m-%d %H:%M} UTC"
    if kept.digest == policies.digest:
        return ok(name, probed, f"{kept.digest[:12]}, as on {when}")
    if not kept.complete:
        why = f"{kept.digest[:12]} was deployed on {when}; there are more cases than were looked through"
        return unknown(name, probed, "too_many_cases", why, _LIST)
    why = f"deployed on {when}: {kept.digest[:12]}; here: {policies.digest[:12]}"
    fix = f"make bundle{THEN}terraform apply with the bundle's new sha256{OR}check out what was deployed"
    return fault(name, probed, "policy_digest_differs", why, fix)


def _refusals(kept: StoredCases) -> Iterator[Check]:
    for reason, (name, what, variable) in _REFUSED.items():
        record = kept.refused.get(reason)
        if record is None:
            yield ok(name, f"{kept.looked_through} cases", f"none names {what}")
            continue
        source = f" (source {source_of(record.finding_name)})" if reason == Reason.SOURCE_NOT_ALLOWED else ""
        why = f"finding {record.finding_name} was refused: it names {what}{source}"
        fix = f"if it is meant, add it to the Terraform variable {variable}; else leave it out of the notification"
        yield fault(name, record.finding_name, reason, why, fix)


def heartbeat_key(settings: Settings) -> str:
    """The key of the heartbeat's case: of the first source that is listed, in the location of the findings."""
    location = settings.scc_location or "global"
    return FindingName(source_id=min(settings.sources), location=location, finding_id=HEARTBEAT_ID).key


def _heartbeat(journal: Journal, ask: Ask, now: datetime) -> Check:
    name, minutes = "heartbeat", ask.deployment.heartbeat_minutes
    if not minutes:
        return skipped(name, f"{VARIABLE_PREFIX}HEARTBEAT_MINUTES", "heartbeat_not_set", "no heartbeat is told of")
    record = journal.read(heartbeat_key(ask.settings))
    seen = record.updated_at if record else None
    probed = f"every {minutes} minutes"
    if record and seen is not None and now - seen <= timedelta(minutes=3 * minutes):
        control = record.decision.get(CONTROL)
        what = f"; it met the kill switch as {control}: see {CONTROL}" if control else ""
        return ok(name, probed, f"last on {seen:%Y-%m-%d %H:%M} UTC{what}")
    why = f"last on {seen:%Y-%m-%d %H:%M} UTC: three were missed" if seen else "none has come through yet"
    project = ask.settings.trace_project or "PROJECT"
    run = f"gcloud scheduler jobs run scc-responder-heartbeat --location=REGION --project={quote(project)}"
    fix = f"{run}{THEN}read the function's log"
    return fault(name, probed, "heartbeat_missing", f"{why}; a finding would not come through either", fix)
