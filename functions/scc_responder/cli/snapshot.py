"""Copy what decisions need from a cluster into a file, for `simulate --snapshot`. Reads only.

Pods, their owners, nodes, namespaces, disruption budgets and network policies: of each the fields that decisions look
at. No secret is read, and no environment, argument, command, volume or other annotation is kept. A policy whose
condition looks at an annotation of your own needs --annotation. Exit 1 if something could not be read.
"""

from __future__ import annotations

import argparse
import os
import sys
from errno import EISDIR
from pathlib import Path

from scc_responder.cli.terminal.screen import Screen
from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import SettingsError
from scc_responder.workbench.cluster_snapshot import take_snapshot
from scc_responder.workbench.clusters_file import ClustersFile
from scc_responder.workbench.snapshot_file import COLLECTIONS, EVERY_COLLECTION, SnapshotFile, encode_snapshot


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `snapshot`."""
    parser.add_argument(
        "--cluster",
        required=True,
        metavar="NAME",
        help="the entry of --clusters to read: its name, the last part of it, or its context",
    )
    parser.add_argument("--clusters", type=Path, default=Path("clusters.yaml"), metavar="FILE", help="local clusters")
    parser.add_argument("--output", required=True, type=Path, metavar="FILE", help="where the snapshot goes")
    parser.add_argument(
        "--service-accounts",
        action="store_true",
        help="keep their names and identities in Google Cloud too, for conditions on google_identity",
    )
    parser.add_argument(
        "--annotation", action="append", metavar="KEY", help="keep this annotation too; * is a wildcard"
    )


def run(options: argparse.Namespace) -> int:
    """Take the snapshot; 1 if a part of it is missing."""
    clusters = ClustersFile(options.clusters)
    ref = clusters.find(options.cluster)
    _check_place(options.output)
    screen = Screen(sys.stderr)
    file = take_snapshot(
        clusters.connect(ref),
        clusters.describe(ref),
        utc_now(),
        annotations=options.annotation or (),
        collections=EVERY_COLLECTION if options.service_accounts else COLLECTIONS,
        progress=lambda name, count: screen.wait_for(f"{ref.name}: {count} {name} ..."),
    )
    _write(options.output, encode_snapshot(file))
    _tell(screen, file, options.output)
    return 1 if file.missing else 0


def _check_place(path: Path) -> None:
    """Raise SettingsError where no file can be written, before a large cluster is read for it."""
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
        unfinished = _unfinished(path)
        unfinished.touch(mode=0o600)
        unfinished.unlink()
    except OSError as error:
        raise SettingsError("unwritable_file", f"{path}: {error.strerror}") from error


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


def _write(path: Path, content: bytes) -> None:
    """Write the file completely or not at all, readable by its owner alone: it says what runs where."""
    unfinished = _unfinished(path)
    try:
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise SettingsError("unwritable_file", f"{path}: {error.strerror}") from error


def _tell(screen: Screen, file: SnapshotFile, path: Path) -> None:
    counts = ", ".join(f"{len(items)} {name}" for name, items in file.objects.items() if items)
    screen.line(styled(f"{path}: {counts or 'nothing'}", "bold", sys.stderr))
    for name, why in file.missing.items():
        screen.line(styled(f"  without {name}: {why}", "yellow", sys.stderr))
