"""`serve`: the function on this machine, and what stops it from starting."""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli import serve
from scc_responder.cli.terminal.settings_file import environment_of
from tests.cli.commands import free_port, is_listening, listening_addresses, run, settings_given, started
from tests.cluster.polling import wait_until

LOOPBACK = "0100007F"


def flat(options: Mapping[str, str]) -> list[str]:
    """Options as they stand on a command line."""
    return [word for pair in options.items() for word in pair]


class Server:
    """A running `serve`."""

    def __init__(self, process: subprocess.Popen[str], port: int, folder: Path) -> None:
        self.process = process
        self.port = port
        self.folder = folder

    def post(self, body: bytes, method: str = "POST", path: str = "/") -> tuple[int, bytes]:
        """The status and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def wait_until_listening(self) -> None:
        """Wait until it accepts connections."""

        def listens() -> bool:
            assert self.process.poll() is None, self.process.communicate()
            return is_listening(self.port)

        wait_until(listens, what="the function to listen", seconds=30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`serve` with no policy at all."""
    folder = tmp_path_factory.mktemp("serve")
    port = free_port()
    with started("serve", "--port", str(port), *flat(settings_given(folder)), cwd=folder) as process:
        running = Server(process, port, folder)
        running.wait_until_listening()
        yield running


def test_it_listens_on_loopback_alone(server: Server) -> None:
    """Unless it is told otherwise it listens on 127.0.0.1 and nowhere else."""
    assert listening_addresses(server.port) == {LOOPBACK}


@pytest.mark.parametrize(
    "body",
    [b"", b"junk", b"{}", b'{"message": {"data": "AAAA"}}', b"\x00\xff", b'{"message": {"data": "%%%"}}'],
    ids=["empty", "text", "no-envelope", "no-finding", "bytes", "no-base64"],
)
def test_junk_is_settled_without_a_body(body: bytes, server: Server) -> None:
    """Junk is settled with an empty body that says nothing of it."""
    assert server.post(body) == (204, b"")


def test_other_methods_say_nothing(server: Server) -> None:
    """A look with a browser is answered, and says nothing either."""
    assert server.post(b"", method="GET") == (405, b"")


def test_a_sweep_is_its_own_request(server: Server) -> None:
    """A sweep is a request of its own; with another method it is a look like any other."""
    assert server.post(b"{}", path="/sweep") == (204, b"")
    assert server.post(b"", method="GET", path="/sweep") == (405, b"")
    store = SqliteStore(server.folder / "journal.db")
    place = store.get("sweep/cursor")
    store.close()
    assert place is not None


def test_junk_is_recorded(server: Server) -> None:
    """What was rejected stands in the store that was given."""
    server.post(b"another kind of junk")
    store = SqliteStore(server.folder / "journal.db")
    reasons = {json.loads(entry.value)["reason"] for entry in store.scan("rejected/").entries}
    store.close()
    assert "not_json" in reasons


def test_end_by_signal(tmp_path: Path) -> None:
    """SIGTERM ends it in order, and its port is free again."""
    port = free_port()
    with started("serve", "--port", str(port), *flat(settings_given(tmp_path)), cwd=tmp_path) as process:
        Server(process, port, tmp_path).wait_until_listening()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert not is_listening(port)


def test_its_kill_switch(tmp_path: Path) -> None:
    """It says how far it may go, and how to change that: a fresh store means that nothing is changed."""
    port, options = free_port(), settings_given(tmp_path)
    with started("serve", "--port", str(port), *flat(options), cwd=tmp_path) as process:
        assert process.stderr is not None
        told = process.stderr.readline()
    assert told.startswith("scc-responder: control: dry_run (no document says otherwise, so nothing is changed); ")
    assert f"scc-responder control set enforce --reason WHY --store {options['--store']}" in told


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"--cluster-patterns": ""}, "--cluster-patterns: it is empty"),
        ({"--cluster-patterns": "prod-1"}, "SCC_RESPONDER_CLUSTERS: 'prod-1' is not"),
        ({"--sources": "all"}, "SCC_RESPONDER_SOURCES: 'all' is not"),
        ({"--sources": ""}, "--sources: it is empty"),
        ({"--policies": "nowhere"}, "nowhere: there is no such folder"),
        ({"--clusters": "nowhere.yaml"}, "nowhere.yaml: No such file"),
    ],
    ids=["no-clusters", "malformed-cluster", "malformed-source", "no-sources", "no-policies", "no-clusters-file"],
)
def test_bad_settings_end_before_listening(changed: Mapping[str, str], told: str, tmp_path: Path) -> None:
    """Settings that cannot be used end with 2 and name the option or its variable, before anything listens."""
    done = run("serve", *flat({**settings_given(tmp_path), **changed}), cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_policy_ends_before_listening(tmp_path: Path) -> None:
    """So does a policy that cannot be used, by file and field."""
    options = settings_given(tmp_path)
    (tmp_path / "policies" / "contain.yaml").write_text("name: contain\nmode: yes\n")
    done = run("serve", *flat(options), cwd=tmp_path)
    assert done.returncode == 2
    assert "contain.yaml" in done.stderr


def test_on_cloud_run(tmp_path: Path) -> None:
    """On Cloud Run, a store that is lost with the instance stops the start."""
    done = run("serve", *flat(settings_given(tmp_path)), cwd=tmp_path, K_SERVICE="scc-responder")
    assert done.returncode == 2
    assert "SCC_RESPONDER_FINDINGS is for local use" in done.stderr


def parsed(*arguments: str) -> argparse.Namespace:
    """Options of `serve` as they are parsed."""
    parser = argparse.ArgumentParser()
    serve.add_options(parser)
    return parser.parse_args(arguments)


def test_an_option_wins_over_the_environment(tmp_path: Path) -> None:
    """An option wins over the environment's setting."""
    found = environment_of(parsed("--store", str(tmp_path / "a.db")), {"SCC_RESPONDER_STORE": "sqlite:///b.db"})
    assert found["SCC_RESPONDER_STORE"] == f"sqlite:///{tmp_path / 'a.db'}"


def test_firestore_is_no_file() -> None:
    """A store in Firestore is given as the setting is."""
    store = "firestore://example-project/(default)"
    assert environment_of(parsed("--store", store), {})["SCC_RESPONDER_STORE"] == store


@pytest.mark.parametrize("name", ["STORE", "EVIDENCE", "POLICIES", "CLUSTERS", "SOURCES", "FINDINGS", "CLUSTERS_FILE"])
def test_the_environment_fills_missing_options(name: str) -> None:
    """What no option says is taken from the environment."""
    assert environment_of(parsed(), {f"SCC_RESPONDER_{name}": "given"})[f"SCC_RESPONDER_{name}"] == "given"


def test_defaults_use_the_present_folder() -> None:
    """Where neither says anything, local use has its defaults in the present folder."""
    found = environment_of(parsed(), {})
    assert found == {
        "SCC_RESPONDER_POLICIES": "policies",
        "SCC_RESPONDER_STORE": f"sqlite:///{Path.cwd() / 'scc-responder.db'}",
        "SCC_RESPONDER_EVIDENCE": (Path.cwd() / "evidence").as_uri(),
    }


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("gs://bucket/prefix", "gs://bucket/prefix"),
        ("/var/evidence", "file:///var/evidence"),
        ("/var/my evidence", "file:///var/my%20evidence"),
    ],
    ids=["bucket", "folder", "folder-with-space"],
)
def test_evidence_goes_to_folder_or_bucket(given: str, address: str) -> None:
    """Evidence goes to a folder or a bucket."""
    assert environment_of(parsed("--evidence", given), {})["SCC_RESPONDER_EVIDENCE"] == address
