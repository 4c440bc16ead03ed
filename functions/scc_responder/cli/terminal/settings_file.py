"""What a command goes by: settings of options, of the environment or of a file that Terraform wrote, and a token."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from scc_responder.domain.errors import SettingsError
from scc_responder.settings import VARIABLE_PREFIX
from scc_responder.workbench.doctor.deployed import parse_environment

TOKEN = "SCC_RESPONDER_ID_TOKEN"  # noqa: S105 - a variable's name
_OPTIONS = {
    "policies": "POLICIES",
    "store": "STORE",
    "evidence": "EVIDENCE",
    "clusters": "CLUSTERS_FILE",
    "findings": "FINDINGS",
    "cluster_patterns": "CLUSTERS",
    "sources": "SOURCES",
}


def settings_environment(file: str | None) -> dict[str, str]:
    """The environment, with the file's settings in place of its own. Raises SettingsError."""
    given = dict(os.environ)
    if not file:
        return given
    others = {name: value for name, value in given.items() if not name.startswith(VARIABLE_PREFIX)}
    try:
        text = text_of(file)
    except SettingsError as error:
        raise SettingsError(error.reason, f"{error}. terraform output -raw settings > {file} makes it") from error
    return others | parse_environment(text, file)


def text_of(file: str) -> str:
    """The text of a file; `-` is standard input. Raises SettingsError."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "not UTF-8"
        raise SettingsError("unreadable_file", f"{file}: {told}") from error


def settings_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that stand for settings of a function on this machine."""
    parser.add_argument("--policies", metavar="DIR", help="folder of policies (default: policies)")
    parser.add_argument(
        "--store", metavar="STORE", help="SQLite file for the journal, or firestore://... (default: scc-responder.db)"
    )
    parser.add_argument("--evidence", metavar="FOLDER", help="folder or gs:// address for evidence (default: evidence)")
    parser.add_argument("--clusters", metavar="FILE", help="clusters.yaml, in place of the GKE API")
    parser.add_argument("--findings", metavar="FOLDER", help="findings, in place of the Security Command Center API")
    parser.add_argument(
        "--cluster-patterns", metavar="P,...", help="clusters to act in: projects/P/locations/L/clusters/C"
    )
    parser.add_argument("--sources", metavar="ID,...", help="numeric ids of the SCC sources to believe")


def environment_of(options: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with the options written into it, and the defaults of local use where it says nothing."""
    given = {VARIABLE_PREFIX + name: value for option, name in _OPTIONS.items() if (value := getattr(options, option))}
    if options.store:
        given[VARIABLE_PREFIX + "STORE"] = _store(options.store)
    if options.evidence and "://" not in options.evidence:
        given[VARIABLE_PREFIX + "EVIDENCE"] = _folder(options.evidence)
    defaults = {
        VARIABLE_PREFIX + "POLICIES": "policies",
        VARIABLE_PREFIX + "STORE": _store("scc-responder.db"),
        VARIABLE_PREFIX + "EVIDENCE": _folder("evidence"),
    }
    return {**defaults, **environment, **given}


def _store(given: str) -> str:
    return given if given.startswith("firestore:") else f"sqlite:///{Path(given).absolute()}"


def _folder(name: str) -> str:
    return Path(name).absolute().as_uri()


def id_token(file: Path | None) -> str:
    """The person's ID token: of the file, else of the environment; empty where there is none. Raises SettingsError."""
    if file is None:
        return os.environ.get(TOKEN, "").strip()
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("token_unreadable", f"--token-file {file}: it cannot be read ({error})") from error
