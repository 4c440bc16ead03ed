"""`case verify`: check a copy of a case's evidence on this machine; nothing is asked of any server."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

import msgspec

from scc_responder.cli.console.existing_store import SETTING, STORE
from scc_responder.cli.console.terminal import styled
from scc_responder.domain.errors import SettingsError
from scc_responder.settings import VARIABLE_PREFIX
from scc_responder.workbench.bundle.bundle_check import case_folder, check_bundle
from scc_responder.workbench.bundle.bundle_manifests import VerifyingKey
from scc_responder.workbench.bundle.bundle_report import BundleReport, CheckedManifest

_EVIDENCE = f"{VARIABLE_PREFIX}EVIDENCE"


def verification_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `case verify`."""
    command.add_argument("case", metavar="CASE", help="the case's id: 12 digits, as the message says them")
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
    """Print what the bundle holds and what is wrong with it: 0 if nothing is, else 1. Raises SettingsError."""
    folder = case_folder(_bundle(options.bundle), options.case)
    report = check_bundle(folder, options.case, _key(options.key))
    if options.format == "json":
        print(
            json.dumps({"verified": report.is_verified, "bundle": str(folder), **msgspec.to_builtins(report)}, indent=2)
        )
    else:
        print("\n".join(_text(report)))
    return 0 if report.is_verified else 1


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
