"""The deployed function: what starts it, and which request is for what."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import PolicyError, SettingsError
from scc_responder.entrypoint.http_edge import handle, make_services
from scc_responder.intake.envelope import MAX_ENVELOPE_BYTES
from scc_responder.pipeline.services import Services
from scc_responder.policy.compiled import COMPILED_FILE
from scc_responder.workbench.policy_files.policy_file import compile_policies
from tests.findings import push_body
from tests.kits.local_store import LocalStoreServices
from tests.kits.responder import policy, write_policies

FUNCTIONS = Path(__file__).parents[2] / "functions"
SETTINGS = {
    "SCC_RESPONDER_CLUSTERS": "projects/example-project/locations/*/clusters/*",
    "SCC_RESPONDER_SOURCES": "1111111111111111111",
}


def services(folder: Path, **environment: str) -> Services:
    policies = write_policies(folder / "policies", policy("label_pod"))
    (policies / COMPILED_FILE).write_bytes(compile_policies(policies))
    store = {"SCC_RESPONDER_STORE": f"sqlite:///{folder / 'journal.db'}"}
    return make_services(folder, {**SETTINGS, **store, **environment}, LocalStoreServices)


class Request:
    """A Flask request, as far as the function looks at one."""

    def __init__(self, method: str, path: str, body: bytes = b"") -> None:
        self.method, self.path, self.stream = method, path, BytesIO(body)
        self.headers = {"Content-Type": "application/json"}
        self.remote_addr = "192.0.2.7"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/", push_body(b"junk"), 204),
        ("POST", "/approve", b"{}", 403),
        ("POST", "/reject", b"{}", 403),
        ("POST", "/resume", b"{}", 403),
        ("POST", "/mark_right", b"{}", 403),
        ("POST", "/mark_wrong", b"{}", 403),
        ("POST", "/sweep", b"", 403),
        ("POST", "/approve/", b"{}", 404),
        ("POST", "//approve", b"{}", 404),
        ("POST", "/Approve", b"{}", 404),
        ("POST", "/mark", b"{}", 404),
        ("POST", "/undo", b"{}", 404),
        ("POST", "/approve;x", b"{}", 404),
        ("POST", "/v1/approve", b"{}", 404),
        ("POST", "/sweep/", b"", 404),
        ("POST", "/findings", push_body(b"junk"), 404),
        ("GET", "/anything", b"", 404),
    ],
)
def test_each_path_has_its_own_answer(tmp_path: Path, method: str, path: str, body: bytes, status: int) -> None:
    """Without a word in the body; who proves nothing may neither answer nor sweep."""
    request: Any = Request(method, path, body)
    assert handle(request, services(tmp_path)) == ("", status, {})


@pytest.mark.parametrize(
    "path", ["/", "/approve", "/reject", "/resume", "/mark_right", "/mark_wrong", "/sweep", "/look"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_only_a_post_does_anything(tmp_path: Path, method: str, path: str) -> None:
    """Whoever asks otherwise is told how, and nothing is read."""
    request: Any = Request(method, path, push_body(b"junk"))
    assert handle(request, services(tmp_path)) == ("", 405, {"Allow": "POST"})
    assert request.stream.tell() == 0


def test_no_more_is_read_than_a_message_takes(tmp_path: Path) -> None:
    """The size is bounded before it is read."""
    request: Any = Request("POST", "/", b"x" * (MAX_ENVELOPE_BYTES + 100))
    handle(request, services(tmp_path))
    assert request.stream.tell() == MAX_ENVELOPE_BYTES + 1


@pytest.mark.parametrize("name", ["CLUSTERS_FILE", "FINDINGS"])
def test_a_local_setting_stops_the_start(tmp_path: Path, name: str) -> None:
    """It is for `serve`."""
    with pytest.raises(SettingsError, match="scc-responder serve"):
        services(tmp_path, **{f"SCC_RESPONDER_{name}": str(tmp_path)})


def test_a_store_on_this_machine_stops_the_start(tmp_path: Path) -> None:
    """The zip has none: cases that nobody else can read would be lost with the machine."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_STORE is for local use") as refused:
        make_services(tmp_path, {**SETTINGS, "SCC_RESPONDER_STORE": f"sqlite:///{tmp_path / 'journal.db'}"})
    assert refused.value.reason == "local_only_setting"


def test_unusable_policies_stop_the_start(tmp_path: Path) -> None:
    """And not the first finding."""
    services(tmp_path)
    (tmp_path / "policies" / COMPILED_FILE).write_text("no JSON")
    with pytest.raises(PolicyError):
        make_services(tmp_path, {**SETTINGS, "SCC_RESPONDER_STORE": "firestore://example-project/(default)"})


def started(program: str, **environment: str) -> str:
    """What a process of its own prints, that loads the function."""
    given = {"PYTHONPATH": str(FUNCTIONS), "FUNCTION_TARGET": "respond", **environment}
    return subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, check=True).stdout


def test_loading_the_function_compiles_no_pattern() -> None:
    """A start takes a tenth of a second: it does not compile eighty expressions of which a finding needs a few."""
    program = """
import re, sys
plain, compiled = re.compile, []
def watched(pattern, flags=0):
    if sys._getframe(1).f_globals["__name__"].startswith("scc_responder"):
        compiled.append(pattern)
    return plain(pattern, flags)
re.compile = watched
import scc_responder.entrypoint.http_edge
print(len(compiled), sum(name.startswith("scc_responder") for name in sys.modules) > 100)
"""
    assert started(program).split() == ["0", "True"]


def test_a_start_looks_for_no_garbage_among_what_stays(tmp_path: Path) -> None:
    """Nothing is collected while the function loads, what was loaded is never looked through, and the rest is again."""
    policies = write_policies(tmp_path / "policies", policy("label_pod"))
    (policies / COMPILED_FILE).write_bytes(compile_policies(policies))
    program = f"""
import gc, runpy
before = [part["collections"] for part in gc.get_stats()]
import functions_framework
loaded = [part["collections"] for part in gc.get_stats()]
runpy.run_path({str(FUNCTIONS / "main.py")!r})
after = [part["collections"] for part in gc.get_stats()]
print(loaded != before, after == loaded, gc.isenabled(), gc.get_freeze_count() > 10_000)
"""
    store = {"SCC_RESPONDER_STORE": "firestore://example-project/(default)", "SCC_RESPONDER_POLICIES": str(policies)}
    assert started(program, **SETTINGS, **store).split() == ["True"] * 4
