"""Run the function on this machine, under functions-framework, as it runs in the cloud.

Point a Pub/Sub push subscription (or curl) at it. Settings that are not given as options are read from the
environment; see scc_responder.settings for their names.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from scc_responder.cli.terminal.kill_switch_text import control_notice
from scc_responder.cli.terminal.listening import free, port
from scc_responder.domain.errors import ResponderError
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.settings import VARIABLE_PREFIX, Settings, read_settings
from scc_responder.workbench.clusters_file import ClustersFile
from scc_responder.workbench.deployment.carried import Carried, carried
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.stores import open_store

_OPTIONS = {
    "policies": "POLICIES",
    "store": "STORE",
    "evidence": "EVIDENCE",
    "clusters": "CLUSTERS_FILE",
    "findings": "FINDINGS",
    "cluster_patterns": "CLUSTERS",
    "sources": "SOURCES",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `serve`."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=port, default=8080, help="port to listen on")
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


def run(options: argparse.Namespace) -> int:
    """Replace this process by functions-framework with the settings in its environment.

    Raises SettingsError, PolicyError and PortError for what would stop the function from starting.
    """
    environment = environment_of(options, os.environ)
    settings = read_settings(environment, Path("policies"))
    load_policies(settings.policies)
    if settings.clusters_file:
        ClustersFile(Path(settings.clusters_file))
    free(options.host, options.port)
    arguments = command(function_folder(), options.host, options.port)
    print(f"scc-responder: {_standing(settings, options)}", file=sys.stderr)
    print(f"scc-responder: starting on http://{options.host}:{options.port}", file=sys.stderr)
    os.execvpe(arguments[0], arguments, environment)  # noqa: S606 - no shell


def _standing(settings: Settings, options: argparse.Namespace) -> str:
    """How far the kill switch lets anything go; a store that does not answer must not keep the function from it."""
    store = open_store(settings.store, settings.firestore_emulator)
    try:
        return control_notice(SwitchDocuments(store), options.store or "scc-responder.db")
    except ResponderError as error:
        return f"control: unreadable ({error}); while it is, nothing is changed"
    finally:
        store.close()


def function_folder() -> Path:
    """The folder of local_main.py. Raises SettingsError where it did not come with the package."""
    return carried(Carried.LOCAL_MAIN).parent


def command(folder: Path, host: str, port: int) -> list[str]:
    """The command line of functions-framework for the function in the folder."""
    framework = ["-m", "functions_framework", "--target", "respond", "--source", str(folder / "local_main.py")]
    return [sys.executable, *framework, "--host", host, "--port", str(port)]


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
