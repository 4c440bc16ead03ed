"""`case verify`: check a case's record against its hash chain and log, and a copy of its evidence, on this machine."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from scc_responder.cli.terminal.existing_store import SETTING, STORE, existing_store
from scc_responder.cli.terminal.terminal import styled, visible_lines
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FIRESTORE_ADDRESS
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.chain.chain_check import chain_fields
from scc_responder.journal.journal import Journal
from scc_responder.settings import VARIABLE_PREFIX
from scc_responder.workbench.bundle.bundle_check import case_folder, check_bundle
from scc_responder.workbench.bundle.bundle_manifests import VerifyingKey
from scc_responder.workbench.bundle.bundle_report import BundleReport, CheckedManifest
from scc_responder.workbench.bundle.case_statements import exported_statements, manifest_statements
from scc_responder.workbench.bundle.chain_differences import ChainDifference, Statement, chain_differences

_EVIDENCE = f"{VARIABLE_PREFIX}EVIDENCE"
_WITHOUT_LINE = frozenset({Reason.CHAIN_GAP, Reason.UNDO_UNTOLD})


def verification_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `case verify`."""
    command.add_argument("case", metavar="CASE", help="the case's id: 12 digits, as the message says them")
    command.add_argument(
        "--store", metavar="STORE", help=f"the store with the case's record (default: ${SETTING}, else {STORE})"
    )
    command.add_argument(
        "--log",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an export of the function's log, or of its messages, as JSON lines: the record is compared with it",
    )
    command.add_argument(
        "--bundle",
        metavar="FOLDER",
        help=f"a copy of all evidence, or of this case's (default: ${_EVIDENCE}, else evidence)",
    )
    command.add_argument(
        "--key",
        type=Path,
        action="append",
        default=[],
        metavar="PUBLIC.pem",
        help="the public key (default: that beside the SQLite store, if any); several where the key was rotated",
    )


def verify(options: argparse.Namespace) -> int:
    """Print what record and bundle hold and what is wrong: 0 if nothing is, else 1. Raises SettingsError.

    The record is looked at where a store is there, the bundle where it is there too or no record is.
    """
    record = _record(options)
    folder = _folder(options, optional=record is not None)
    report = check_bundle(folder, options.case, _key(options.key)) if folder else None
    wrong: tuple[ChainDifference, ...] = ()
    if record:
        case = case_id(record.finding_key)
        said = [*_said_in(options.log, case)]
        wrong = chain_differences(record, [*said, *(manifest_statements(report) if report else ())])
    verified = not wrong and (report is None or report.is_verified)
    if options.format == "json":
        print(json.dumps({"verified": verified, **_data(folder, report), **_record_data(record, wrong)}, indent=2))
    else:
        print("\n".join([*(record_text(record, wrong) if record else ()), *(_text(report) if report else ())]))
    return 0 if verified else 1


def _data(folder: Path | None, report: BundleReport | None) -> dict[str, Any]:
    return {"bundle": str(folder), **msgspec.to_builtins(report)} if report else {}


def _record_data(record: CaseRecord | None, wrong: Sequence[ChainDifference]) -> dict[str, Any]:
    if record is None:
        return {}
    steps = {"steps": len(record.steps), "taken_back": _taken_back(record), **chain_fields(record)}
    return {"case": case_id(record.finding_key), "record": {**steps, "differences": msgspec.to_builtins(list(wrong))}}


def _record(options: argparse.Namespace) -> CaseRecord | None:
    """The case's record; None where no store was named, and none is on this machine."""
    named = options.store or os.environ.get(SETTING) or ""
    place = Path((named or STORE).removeprefix("sqlite:///"))
    if not (options.store or options.log or FIRESTORE_ADDRESS.fullmatch(named) or place.is_file()):
        return None
    with closing(existing_store(named or STORE)) as opened:
        journal = Journal(opened, utc_now)
        key = journal.find(options.case)
        record = journal.read(key) if key else None
    if record is None and (options.store or options.log):
        raise SettingsError("no_such_case", f"{options.case[:40]!a}: the store has no such case")
    return record


def _said_in(files: Sequence[Path], case: str) -> Iterator[Statement]:
    """What the files of an export say of the case together: it may be in one of several. Raises SettingsError."""
    told = False
    for file in files:
        try:
            said = exported_statements(file.read_bytes(), case)
        except OSError as error:
            raise SettingsError("log_unreadable", f"--log {file}: it cannot be read ({error})") from error
        except SettingsError as error:
            raise SettingsError(error.reason, f"--log {file}: {error.explanation}") from error
        told = told or bool(said)
        yield from said
    if files and not told:
        names = ", ".join(map(str, files))
        raise SettingsError("no_lines", f"--log {names}: no entry tells of the hash chain of case {case}")


def _folder(options: argparse.Namespace, *, optional: bool) -> Path | None:
    """The case's folder in the bundle; None where none was named, `optional`, and none is there."""
    try:
        return case_folder(_bundle(options.bundle), options.case)
    except SettingsError:
        if optional and not options.bundle:
            return None
        raise


def _bundle(given: str | None) -> Path:
    place = given or os.environ.get(_EVIDENCE) or "evidence"
    if place.startswith("gs:"):
        copy = "copy it first: gcloud storage cp --recursive gs://BUCKET/cases/cases/CASE ."
        raise SettingsError("no_bundle", f"{place}: a bundle is checked on this machine; {copy}")
    return Path(unquote(place.removeprefix("file://")) if place.startswith("file://") else place)


class _AnyOf:
    """Several public keys, of which each signature has to be one's."""

    def __init__(self, keys: Sequence[VerifyingKey]) -> None:
        self._keys = keys

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """See `VerifyingKey`."""
        return any(key.verifies(signature, digest) for key in self._keys)


def _key(given: Sequence[Path]) -> VerifyingKey | None:
    """The keys given, or that of this machine. Raises SettingsError."""
    from scc_responder.adapters.local.signing_key import public_key_beside, read_public_key  # noqa: PLC0415 - start

    store = os.environ.get(SETTING) or STORE
    beside = public_key_beside(Path(store.removeprefix("sqlite:///")))
    if not given and not beside.is_file():
        return None
    return _AnyOf([read_public_key(path) for path in given or [beside]])


def record_text(record: CaseRecord, wrong: Sequence[ChainDifference]) -> Iterator[str]:
    """What is said of the record: whether its steps are those of its chain, and the first that differs."""
    verdict = styled("not verified", "red") if wrong else styled("verified", "green")
    head = f", chain {record.chain.head[:16]}" if record.chain else ""
    before = f", {count} of before it was taken back" if (count := _taken_back(record)) else ""
    steps = f"{len(record.steps)} steps{before}{head}"
    yield f"case {styled(case_id(record.finding_key), 'bold')}: record {verdict}; {steps}"
    if _was_undone(record) and any(each.reason in _WITHOUT_LINE for each in wrong):
        yield styled("  case undo has no line in the log: give its messages, too, with another --log", "dim")
    for each in wrong:
        step = f"  {styled(visible_lines(each.step), 'bold')}" if each.step else ""
        why = styled(f"{each.where}: {each.reason.meaning}", "dim")
        yield f"  {styled(each.reason, 'red')}{step}  {why}"


def _was_undone(record: CaseRecord) -> bool:
    return bool(_taken_back(record)) or any(step.undoes for step in record.steps)


def _taken_back(record: CaseRecord) -> int:
    """How many steps the record keeps of what was taken back before the case was opened again."""
    return sum(len(closing.taken_back) for closing in record.history)


def _text(report: BundleReport) -> Iterator[str]:
    count = f"{report.objects} object{'s' * (report.objects != 1)}"
    verdict = styled("verified", "green") if report.is_verified else styled("not verified", "red")
    yield f"case {styled(report.case, 'bold')}: {verdict}; {count} as signed and stored"
    for manifest in report.manifests:
        yield from _manifest(manifest)
    if report.findings:
        yield ""
        yield styled("Wrong", "bold")
    for finding in report.findings:
        yield f"  {styled(finding.fault, 'red')}  {styled(finding.file, 'bold')}  {styled(finding.why, 'dim')}"


def _manifest(manifest: CheckedManifest) -> Iterator[str]:
    says = manifest.says
    yield ""
    yield f"{styled(manifest.file, 'bold')}  {says.captured_at:%Y-%m-%d %H:%M:%S} UTC, {len(says.objects)} objects"
    yield f"  {styled('signed   ', 'dim')}{styled(manifest.signed or ', '.join(manifest.faults), 'bold')}"
    for source in says.sources:
        if why := ", ".join(filter(None, (source.why, source.permission))):
            why = f"{source.outcome}: {why}"
            yield f"  {styled('not had  ', 'dim')}{styled(source.name, 'bold')} {styled(why, 'dim')}"
