"""Run the function on this machine, under functions-framework, as it runs in the cloud.

Point a Pub/Sub push subscription (or curl) at it. Settings that are not given as options are read from the
environment; see scc_responder.settings for their names.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from scc_responder.cli.terminal.kill_switch_text import control_notice
from scc_responder.cli.terminal.listening import free, port
from scc_responder.cli.terminal.settings_file import environment_of, settings_options
from scc_responder.domain.errors import ResponderError
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.settings import Settings, read_settings
from scc_responder.workbench.clusters_file import ClustersFile
from scc_responder.workbench.deployment.carried import Carried, carried
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.stores import open_store


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `serve`."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=port, default=8080, help="port to listen on")
    told = "beside it, show the cases in a browser on this machine: see `console`"
    parser.add_argument("--console", action="store_true", help=told)
    settings_options(parser)


def run(options: argparse.Namespace) -> int:
    """Replace this process by functions-framework with the settings in its environment; with `--console`, start it.

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
    if not options.console:
        os.execvpe(arguments[0], arguments, environment)  # noqa: S606 - no shell
    from scc_responder.cli.console import console_of  # noqa: PLC0415 - the function alone needs none of it

    with console_of(environment, url=f"http://{options.host}:{options.port}"):
        process = subprocess.Popen(arguments, env=environment)
        # It ends with this process, in order, however that is ended.
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


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
