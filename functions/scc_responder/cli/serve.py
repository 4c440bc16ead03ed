"""Run the function on this machine, under functions-framework, as it runs in the cloud.

Point a Pub/Sub push subscription (or curl) at it. Settings that are not given as options are read from the
environment; see scc_responder.settings for their names.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from scc_responder.settings import PREFIX, read_settings

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
    parser.add_argument("--port", type=int, default=8080, help="port to listen on")
    parser.add_argument("--policies", metavar="DIR", default="policies", help="folder of policies")
    parser.add_argument("--store", metavar="FILE", default="scc-responder.db", help="SQLite file for the journal")
    parser.add_argument("--evidence", metavar="FOLDER", default="evidence", help="folder or gs:// address for evidence")
    parser.add_argument("--clusters", metavar="FILE", help="clusters.yaml, in place of the GKE API")
    parser.add_argument("--findings", metavar="FOLDER", help="findings, in place of the Security Command Center API")
    parser.add_argument(
        "--cluster-patterns", metavar="P,...", help="clusters to act in: projects/P/locations/L/clusters/C"
    )
    parser.add_argument("--sources", metavar="ID,...", help="numeric ids of the SCC sources to believe")


def run(options: argparse.Namespace) -> int:
    """Replace this process by functions-framework with the settings in its environment."""
    environment = environment_of(options)
    read_settings(environment, Path("policies"))
    folder = Path(__file__).parents[2]
    print(f"scc-responder: listening on http://{options.host}:{options.port}", file=sys.stderr)
    os.execvpe(sys.executable, command(folder, options.host, options.port), environment)  # noqa: S606 - no shell


def command(folder: Path, host: str, port: int) -> list[str]:
    """The command line of functions-framework for the function in the folder."""
    framework = ["-m", "functions_framework", "--target", "respond", "--source", str(folder / "main.py")]
    return [sys.executable, *framework, "--host", host, "--port", str(port)]


def environment_of(options: argparse.Namespace) -> dict[str, str]:
    """This process's environment with the options written into it."""
    given = {PREFIX + name: getattr(options, option) for option, name in _OPTIONS.items() if getattr(options, option)}
    given[PREFIX + "STORE"] = f"sqlite:///{Path(options.store).absolute()}"
    if "://" not in options.evidence:
        given[PREFIX + "EVIDENCE"] = f"file://{Path(options.evidence).absolute()}"
    return {**os.environ, **given}
