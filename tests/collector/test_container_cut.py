"""What the collector cuts, beside what the other ends of the connections see."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kits.collector_container import PATHS, Container, container, wait_until

ADMIN = "-all,+net_admin"
OUTSIDE, POD = "192.0.2.1", "192.0.2.2"

TALK = r"""
import socket, sys, threading, time
def serve():
    server = socket.create_server(("127.0.0.1", 8000))
    while True:
        kept.append(server.accept())
kept = []
threading.Thread(target=serve, daemon=True).start()
for kind, port in ((socket.SOCK_STREAM, 7000), (socket.SOCK_DGRAM, 7001)):
    outside = socket.socket(socket.AF_INET, kind)
    while outside.connect_ex(("192.0.2.1", port)):
        time.sleep(0.05)
    kept.append(outside)
six = socket.socket(socket.AF_INET6)
while six.connect_ex(("::ffff:192.0.2.1", 7000)):
    time.sleep(0.05)
kept.append(six)
loose = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
loose.sendto(b"x", ("192.0.2.1", 7001))
kept.append(loose)
kept.append(socket.create_connection(("127.0.0.1", 8000)))
"""
EXTRA = {
    "bound": 'b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); b.bind(("", 5353)); kept.append(b)',
    "raw": "kept.append(socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))",
    "packet": "kept.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3))",
}
SERVER = f"""
import socket
server = socket.create_server(("{OUTSIDE}", 7000))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("{OUTSIDE}", 7001))
for number in range(2):
    connection = server.accept()[0]
    print("open", flush=True)
    kept = [connection] if number == 0 else [*kept, connection]
for connection in kept:
    try:
        print("closed" if connection.recv(1) == b"" else "data", flush=True)
    except ConnectionResetError:
        print("reset", flush=True)
import time
time.sleep(9000)
"""


class Pod:
    """A container that talks to a server outside it."""

    def __init__(self, inside: Container, server: subprocess.Popen[str]) -> None:
        self.inside = inside
        self.server = server

    def heard(self, lines: int) -> list[str]:
        """What the server saw next."""
        assert self.server.stdout is not None
        return [self.server.stdout.readline().strip() for _ in range(lines)]


@pytest.fixture
def pod(program: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pod]:
    """A container with a link to a network namespace that stands for the world, and connections of each kind."""
    extra = EXTRA.get(getattr(request, "param", ""), "")
    root = tmp_path / "root"
    root.mkdir()
    (root / "talk.py").write_text(f"{TALK}\n{extra}\nopen('/talks', 'w').close()\ntime.sleep(9000)\n")
    world = subprocess.Popen(["unshare", "--net", "--kill-child", "--fork", "sleep", "9000"], env=PATHS)
    try:
        with container(root, "/usr/bin/python3 /talk.py &") as inside:
            link(world.pid, inside.first)
            enter = ["nsenter", "-t", str(child_of(world.pid)), "-n", "/usr/bin/python3", "-c", SERVER]
            server = subprocess.Popen(enter, env=PATHS, stdout=subprocess.PIPE, text=True)
            try:
                wait_until((root / "talks").exists)
                made = Pod(inside, server)
                assert made.heard(2) == ["open", "open"]
                yield made
            finally:
                server.kill()
                server.communicate()
    finally:
        world.kill()
        world.wait()


def child_of(pid: int) -> int:
    """The process that `unshare --fork` has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    wait_until(lambda: children.read_text().split())
    return int(children.read_text().split()[0])


def link(world: int, first: int) -> None:
    """A pair of interfaces between the two namespaces."""
    outside = ["nsenter", "-t", str(child_of(world)), "-n", "ip"]
    inside = ["nsenter", "-t", str(first), "-n", "ip"]
    for command in (
        [*outside, "link", "add", "veth0", "type", "veth", "peer", "name", "eth0", "netns", str(first)],
        [*outside, "addr", "add", f"{OUTSIDE}/24", "dev", "veth0"],
        [*outside, "link", "set", "veth0", "up"],
        [*inside, "addr", "add", f"{POD}/24", "dev", "eth0"],
        [*inside, "link", "set", "eth0", "up"],
    ):
        subprocess.run(command, check=True, env=PATHS)


def cut(pod: Pod, program: Path, capabilities: str = ADMIN) -> dict[str, Any]:
    """The cut, from a process that sees the network alone."""
    return pod.inside.collect(program, "cut", capabilities=capabilities).documents["cut"]


def test_every_connection_to_others_is_ended(program: Path, pod: Pod) -> None:
    """TCP of both families and UDP: the server sees the end, nothing is left, those inside are counted apart."""
    document = cut(pod, program)

    assert pod.heard(2) in (["reset", "reset"], ["closed", "closed"])
    assert document["complete"]
    assert (document["left"], document["errors"], document["unseen"]) == ([], {}, {})
    assert document["severed_at"] > document["began_at"]
    assert sorted((entry["protocol"], entry["state"]) for entry in document["cut"]) == [
        ("tcp", "established"),
        ("tcp6", "established"),
        ("udp", "established"),
        ("udp", "unconnected"),
    ]
    assert document["internal"] == 2


def test_without_the_right_everything_is_left(program: Path, pod: Pod) -> None:
    """Each refusal is counted, and what is left is listed: nothing is said to be severed."""
    document = cut(pod, program, capabilities="-all")

    assert not document["complete"]
    assert document["severed_at"] == ""
    assert document["errors"]["tcp EPERM"] >= 1
    assert {entry["remote"] for entry in document["left"]} >= {"192.0.2.1:7000", "[::ffff:192.0.2.1]:7000"}


@pytest.mark.parametrize(
    ("pod", "left"),
    [("bound", ("udp", "0.0.0.0:5353")), ("raw", ("raw", "0.0.0.0:1")), ("packet", ("packet", ""))],
    indirect=["pod"],
)
def test_what_goes_on_talking_is_left(program: Path, pod: Pod, left: tuple[str, str]) -> None:
    """A bound datagram socket keeps its address, and a raw one needs none: neither is cut, and that is said."""
    document = cut(pod, program)

    assert not document["complete"]
    assert left in {(entry["protocol"], entry["local"]) for entry in document["left"]}
    assert not [entry for entry in document["left"] if entry["protocol"].startswith("tcp")]


def test_on_the_hosts_network_only_the_matched_processes_sockets_are_ended(program: Path, pod: Pod) -> None:
    """The matched process is frozen first; another's connection goes on."""
    other = subprocess.Popen(
        [
            "nsenter",
            "-t",
            str(pod.inside.first),
            "-n",
            "/usr/bin/python3",
            "-c",
            "import socket, time; s = socket.create_connection(('192.0.2.1', 7000)); time.sleep(9000)",
        ],
        env=PATHS,
    )
    try:
        listing = ["nsenter", "-t", str(pod.inside.first), "-n", "cat", "/proc/net/tcp"]
        wait_until(
            lambda: (
                subprocess.run(listing, check=True, env=PATHS, capture_output=True, text=True).stdout.count(" 01 ") >= 4
            )
        )
        answer = pod.inside.look(
            program,
            "-freeze",
            "-sockets",
            capabilities="-all,+sys_ptrace,+dac_override,+kill,+net_admin",
            scripts=[{"path": "/talk.py", "sha256": "", "size": 0, "hashed_size": 0}],
        )
        document = answer.documents["cut"]
        left = subprocess.run(listing, env=PATHS, capture_output=True, text=True, check=True).stdout
    finally:
        other.kill()
        other.wait()

    assert answer.documents["freeze"]["complete"]
    assert document["scope"] == "processes"
    assert document["complete"]
    assert {entry["remote"] for entry in document["cut"] if entry["protocol"] == "tcp"} == {"192.0.2.1:7000"}
    assert left.count("010200C0:1B58 01") == 1
