"""The console's settings: what is missing, wrong, or for this machine alone stops its start."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import flask
import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.entrypoint.console import deployed_console as module
from scc_responder.entrypoint.console.deployed_console import deployed_console, served_by
from tests.kits.google.iap import IAP_AUDIENCE

ROOT = Path(__file__).parents[3]
GIVEN = {
    "K_SERVICE": "scc-responder-console",
    "SCC_RESPONDER_STORE": "firestore://example-project/scc-responder-journal",
    "SCC_RESPONDER_CONSOLE_URL": "https://console.example.com",
    "SCC_RESPONDER_FUNCTION_URL": "https://function.example.com",
    "SCC_RESPONDER_IAP_AUDIENCE": IAP_AUDIENCE,
}
WRONG = [
    ("SCC_RESPONDER_STORE", ""),
    ("SCC_RESPONDER_STORE", "sqlite:////tmp/journal.db"),
    ("SCC_RESPONDER_CONSOLE_URL", ""),
    ("SCC_RESPONDER_CONSOLE_URL", "http://console.example.com"),
    ("SCC_RESPONDER_CONSOLE_URL", "http://127.0.0.1:8080"),
    ("SCC_RESPONDER_CONSOLE_URL", "https://console.example.com/"),
    ("SCC_RESPONDER_FUNCTION_URL", "http://127.0.0.1:8080"),
    ("SCC_RESPONDER_FUNCTION_URL", "https://a@function.example.com"),
    ("SCC_RESPONDER_UNDO_URL", "http://undo.example.com"),
    ("SCC_RESPONDER_UNDO_URL", "https://undo.example.com/path"),
    ("SCC_RESPONDER_IAP_AUDIENCE", ""),
    ("SCC_RESPONDER_IAP_KEYS", "http://127.0.0.1:8080/keys"),
    ("FIRESTORE_EMULATOR_HOST", "127.0.0.1:8080"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_stops_the_start(name: str, value: str) -> None:
    """On Cloud Run each setting must be what a deployment has; the error names it."""
    deployed_console(GIVEN)
    with pytest.raises(SettingsError, match=name):
        deployed_console({**GIVEN, name: value})


def test_this_machine_may_stand_for_google() -> None:
    """Away from Cloud Run addresses of this machine are taken, and no others without TLS."""
    here = {"SCC_RESPONDER_CONSOLE_URL": "http://127.0.0.1:1", "SCC_RESPONDER_FUNCTION_URL": "http://127.0.0.1:2"}
    deployed_console({**GIVEN, **here, "K_SERVICE": ""})
    with pytest.raises(SettingsError, match="CONSOLE_URL"):
        deployed_console({**GIVEN, "K_SERVICE": "", "SCC_RESPONDER_CONSOLE_URL": "http://192.0.2.1:1"})


def test_it_answers_within_the_framework() -> None:
    """A request of the framework's app is answered by the console's: one who did not come by IAP is told so."""
    app = deployed_console(GIVEN)
    outer = flask.Flask("framework")
    with outer.test_request_context("/", base_url="https://console.example.com"):
        response = served_by(app, flask.request)
    assert (response.status_code, "does not know who you are" in response.get_data(as_text=True)) == (403, True)
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    with outer.test_request_context("/", base_url="https://elsewhere.example.com"):
        assert served_by(app, flask.request).status_code == 421


def test_settings_are_documented() -> None:
    """Each variable that the module reads is described at its top, and no other is."""
    text = (ROOT / "functions" / "scc_responder" / "entrypoint" / "console" / "deployed_console.py").read_text()
    documented = set(re.findall(r"^(SCC_RESPONDER_\w+)", module.__doc__ or "", re.MULTILINE))
    code = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    assert {name for name in code if isinstance(name, str) and re.fullmatch(r"SCC_RESPONDER_\w+", name)} == documented


@pytest.mark.parametrize(
    ("target", "named", "other"),
    [
        ("console", "SCC_RESPONDER_STORE: ''", "scc_responder.pipeline.services"),
        ("respond", "SCC_RESPONDER_STORE: SQLite", "scc_responder.entrypoint.console"),
        ("respond", "SCC_RESPONDER_STORE: SQLite", "scc_responder.pipeline.undo"),
        ("undo", "SCC_RESPONDER_STORE: SQLite", "scc_responder.entrypoint.console"),
    ],
)
def test_an_entry_point_loads_nothing_of_the_other(tmp_path: Path, target: str, named: str, other: str) -> None:
    """The file that both share starts the one that the framework names, and imports nothing of the other one."""
    program = (
        "import sys, runpy\n"
        f"try:\n    runpy.run_path({str(ROOT / 'functions' / 'main.py')!r})\n"
        "except Exception as error:\n    print(error)\n"
        f"print([name for name in sys.modules if name.startswith({other!r})])\n"
    )
    given = {"FUNCTION_TARGET": target, "PYTHONPATH": str(ROOT / "functions"), "K_SERVICE": "s"}
    done = subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, check=True)
    assert named in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
