from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from scc_responder.adapters.google.gke.gke_clusters import GkeClusters
from scc_responder.adapters.google.security_center import SecurityCenter
from scc_responder.domain.finding import ClusterRef
from scc_responder.intake.envelope import open_envelope
from scc_responder.intake.notification import parse_notification
from tests import findings
from tests.cluster.polling import wait_until
from tests.kits.google import emulator as pubsub
from tests.kits.google.emulator import Emulator
from tests.kits.google.emulator_process import Component, EmulatorUnavailable
from tests.kits.google.firestore import FIRESTORE

REPOSITORY = Path(__file__).parents[3]


class Receiver:
    """An HTTP server that pushes are sent to: `answer` says with which status each is answered."""

    def __init__(self, answer: Callable[[bytes, int], int]) -> None:
        self.pushes: list[tuple[float, bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.pushes.append((time.monotonic(), body))
                self.send_response(answer(body, len(receiver.pushes)))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Be silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def receive() -> Iterator[Callable[[Callable[[bytes, int], int]], Receiver]]:
    """Starts receivers."""
    receivers: list[Receiver] = []

    def start(answer: Callable[[bytes, int], int]) -> Receiver:
        receivers.append(Receiver(answer))
        return receivers[-1]

    yield start
    for receiver in receivers:
        receiver.close()


def test_a_published_notification_is_pushed_as_the_intake_reads_it(
    emulator: Emulator, receive: Callable[..., Receiver]
) -> None:
    """What SCC publishes arrives, wrapped by Pub/Sub itself, as what intake and wire take apart."""
    receiver = receive(lambda _body, _count: 204)
    deployed = emulator.deploy(receiver.url)
    notification = findings.notification("reverse_shell")
    message_id = emulator.publish(deployed.topic, findings.data(notification))
    [(_, body)] = wait_until(lambda: list(receiver.pushes), what="the push")
    pushed = json.loads(body)
    assert pushed["message"]["messageId"] == message_id
    assert pushed["subscription"] == deployed.subscription
    message = open_envelope(body, {"content-type": "application/json"})
    assert parse_notification(message.data) == parse_notification(notification)


def test_a_message_that_is_refused_comes_again_after_a_while(
    emulator: Emulator, receive: Callable[..., Receiver]
) -> None:
    """503 brings a message back, not at once; 204 settles it."""
    receiver = receive(lambda _body, count: 204 if count == 3 else 503)
    deployed = emulator.deploy(receiver.url, back_off_seconds=0.5)
    emulator.publish(deployed.topic, b"x")
    wait_until(lambda: len(receiver.pushes) >= 3, what="the third delivery", seconds=20)
    times = [at for at, _ in receiver.pushes]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) >= 0.4
    assert emulator.is_empty(deployed.dead_letter_subscription)


def test_a_message_that_is_refused_five_times_is_a_dead_letter(
    emulator: Emulator, receive: Callable[..., Receiver]
) -> None:
    """Nothing is retried for ever, and nothing is lost: a person finds it among the dead letters."""
    receiver = receive(lambda body, _count: 503 if b"cG9pc29u" in body else 204)
    deployed = emulator.deploy(receiver.url, back_off_seconds=0.1)
    emulator.publish(deployed.topic, b"poison")
    emulator.publish(deployed.topic, b"good")
    [dead] = emulator.pull(deployed.dead_letter_subscription, seconds=30)
    assert dead.data == b"poison"
    assert dead.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    bodies = [body for _, body in receiver.pushes]
    assert (len([body for body in bodies if b"cG9pc29u" in body]), len(bodies)) == (5, 6)


def test_deployments_on_one_emulator_are_apart(emulator: Emulator) -> None:
    """Tests that run side by side do not see each other's messages."""
    one, other = emulator.deploy("http://127.0.0.1:1/"), emulator.deploy("http://127.0.0.1:1/")
    emulator.publish(one.outcome_topic, b"x")
    assert emulator.pull(one.outcome_subscription)[0].data == b"x"
    assert emulator.is_empty(other.outcome_subscription)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], None]:
    """Puts a program of that name into tmp_path."""

    def put(name: str) -> None:
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)

    return put


@pytest.mark.parametrize(
    ("present", "reason"),
    [
        ((), "gcloud is not installed"),
        (("gcloud",), "java is not installed"),
        (("gcloud", "java"), "lacks the component"),
    ],
    ids=["no gcloud", "no java", "no component"],
)
@pytest.mark.parametrize("component", [pubsub.PUBSUB, FIRESTORE], ids=lambda component: component.name)
def test_what_is_missing_for_an_emulator_is_named(
    component: Component, present: tuple[str, ...], reason: str, tmp_path: Path, program: Callable[[str], None]
) -> None:
    """Whoever runs the tests without an emulator learns what to install."""
    for name in present:
        program(name)
    with pytest.raises(EmulatorUnavailable, match=reason):
        component.command(search_path=str(tmp_path))
    assert f"gcloud components install {component.name}" in component.remedy


def test_the_servers_run_in_a_process_of_their_own(tmp_path: Path) -> None:
    """Benchmarks and the served function use the same servers as the tests, and change what they hold by file."""
    ref = ClusterRef(project="example-project", location="europe-west1", name="prod-1")
    notification = findings.notification("reverse_shell")
    finding = parse_notification(notification)
    (tmp_path / "findings.json").write_text("[]")
    (tmp_path / "clusters.json").write_text(json.dumps({ref.path: {"autopilot": {"enabled": True}}}))
    with served(tmp_path) as endpoints:
        scc, gke = SecurityCenter(sources=(), endpoint=endpoints["scc"]), GkeClusters(endpoint=endpoints["gke"])
        assert gke.describe(ref).autopilot is True
        assert scc.read(finding) is None
        (tmp_path / "findings.json").write_text(json.dumps([notification]))
        wait_until(lambda: scc.read(finding), what="the finding to be served")
        scc.close()
        gke.close()


@contextmanager
def served(folder: Path) -> Iterator[dict[str, str]]:
    """`python -m tests.kits.google.serve`, until the block ends."""
    files = ["--scc-findings", str(folder / "findings.json"), "--clusters", str(folder / "clusters.json")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "functions")))}
    command = [sys.executable, "-m", "tests.kits.google.serve", *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=folder) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()
