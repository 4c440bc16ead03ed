"""What the collector says of real processes, beside what the machine's own process table and files say."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.kits.collector_container import Container, container, wait_until
from tests.kits.collector_stream import public_text, request_text

LATER = "2100-01-01T00:00:00Z"
EARLIER = "2020-01-01T00:00:00Z"

EXIT = {"x86_64": "60", "aarch64": "93"}.get(platform.machine(), "60")
"""The number of the call that ends one thread."""

SCENE = r"""
mkdir -p /tmp /etc/cron.d /var/lib/dpkg/info
cp /usr/bin/dash /tmp/evil; printf tail >> /tmp/evil; cp /tmp/evil /kept
SECRET_VALUE=hunter2 /tmp/evil -c 'sleep 7001 & sleep 7002 & wait' &
sleep 0.2
rm /tmp/evil; printf decoy > /tmp/evil
printf 'sleep 7003\n:\n' > /tmp/script.sh; sh /tmp/script.sh &
cp /usr/bin/sleep '/tmp/really (deleted)'; '/tmp/really (deleted)' 7004 &
cat > /tmp/leader.py <<'END'
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(7005,)).start()
ctypes.CDLL(None).syscall(ctypes.c_long({exit_of_a_thread}), 0)
END
/usr/bin/python3 /tmp/leader.py &
sleep 7006 &
cp /usr/bin/sleep /tmp/own; printf tail >> /tmp/own; cp /tmp/own /kept-own
setpriv --reuid 1000 --regid 1000 --clear-groups /tmp/own 7007 &
mkfifo /tmp/pipe; truncate -s 1T /tmp/sparse
ln -s /proc/1/root/etc/shadow /tmp/magic; ln -s ../../../../etc/passwd /tmp/up
: > "$(printf '/tmp/\377\n"x.o')"
printf '* * * * * root /tmp/evil\n' > /etc/cron.d/evil
printf '/tmp\n/tmp/really (deleted)\n' > /var/lib/dpkg/info/tool.list
printf 'Package: tool\nVersion: 1.2-3\n' > /var/lib/dpkg/status
cp /usr/bin/sleep /tmp/gcc-12; printf '/tmp/gcc-12\n' > /var/lib/dpkg/info/gcc-12:amd64.list
mkdir -p /var/log; echo '2026-03-02 09:31:04 install gcc-12:amd64 <none> 12.2.0-14' > /var/log/dpkg.log
touch /tmp/a.out /tmp/libevil.so; ln -s gcc-12 /tmp/cc
"""


@pytest.fixture(scope="module")
def attacked(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A container with an unlinked program and its children, a decoy, a script, and files that hold a reader up."""
    with container(tmp_path_factory.mktemp("attacked") / "root", SCENE.replace("{exit_of_a_thread}", EXIT)) as made:
        wait_until(lambda: all(made.named(word) for word in ("7001", "7002", "7003", "7004", "7006", "7007")))
        wait_until(lambda: "Z" in {made.state(pid) for pid in made.processes()})
        yield made


def finding_file(path: str, content: bytes, prefix: int = 0) -> dict[str, Any]:
    """A file as the request names it."""
    hashed = content[:prefix] if prefix else content
    return {
        "path": path,
        "sha256": hashlib.sha256(hashed).hexdigest(),
        "hashed_size": len(hashed),
        "size": len(content),
    }


def evil(made: Container, prefix: int = 0) -> dict[str, Any]:
    """The unlinked program."""
    return finding_file("/tmp/evil", (made.root / "kept").read_bytes(), prefix)


def by_pid(document: dict[str, Any], name: str) -> dict[int, dict[str, Any]]:
    """A document's list by pid."""
    return {entry["pid"]: entry for entry in document[name]}


def test_an_unlinked_program_is_found_kept_and_told_from_its_decoy(program: Path, attacked: Container) -> None:
    """By hash, with its children; its very bytes are kept, and the decoy's beside them."""
    answer = attacked.look(program, binaries=[evil(attacked)], event_time=LATER, started_at=EARLIER)

    (parent,) = attacked.named("sleep 7001 & sleep 7002 & wait")
    found = by_pid(answer.documents["matches"], "matches")
    assert found[parent]["by"] == ["sha256", "exe", "args"]
    assert found[parent]["proved"]
    assert {pid for pid, match in found.items() if match["by"] == ["descendant"]} == {
        *attacked.named("7001"),
        *attacked.named("7002"),
    }
    (told,) = answer.documents["files"]["files"]
    assert (told["hash"], told["on_disk"]["matches"], told["running"][0]["deleted"]) == ("matches", False, True)
    kept = {
        artefact.begin["by_path"]: bytes(artefact.data)
        for artefact in answer.artefacts
        if artefact.begin["role"] == "binary"
    }
    assert kept == {False: (attacked.root / "kept").read_bytes(), True: b"decoy"}
    process = by_pid(answer.documents["processes"], "processes")[parent]
    assert (process["exe"], process["exe_deleted"]) == ("/tmp/evil", True)
    assert process["on_disk_sha256"] == hashlib.sha256(b"decoy").hexdigest()
    assert "SECRET_VALUE" in process["environ_names"]
    assert "hunter2" not in str(answer.documents)
    assert answer.end["denied"] == {}


def test_the_first_bytes_are_enough_where_the_finding_has_their_hash(program: Path, attacked: Container) -> None:
    """A hash of the first bytes matches the running program, and not the decoy."""
    answer = attacked.look(program, binaries=[evil(attacked, prefix=5000)], event_time=LATER)

    (parent,) = attacked.named("sleep 7001 & sleep 7002 & wait")
    assert "sha256" in by_pid(answer.documents["matches"], "matches")[parent]["by"]
    assert answer.documents["files"]["files"][0]["hash"] == "matches"


@pytest.mark.parametrize("path", ["/tmp/script.sh", "/tmp/leader.py"])
def test_a_script_is_found_by_its_interpreters_words(program: Path, attacked: Container, path: str) -> None:
    """Also where the first thread of the process has ended, and its own entry shows no program."""
    content = (attacked.root / path[1:]).read_bytes()
    answer = attacked.look(program, scripts=[finding_file(path, content)], event_time=LATER)

    words = [process["pid"] for process in answer.documents["processes"]["processes"] if path in process["args"]]
    assert words
    assert [match["pid"] for match in answer.documents["matches"]["matches"] if match["by"] == ["args"]] == words
    assert [bytes(artefact.data) for artefact in answer.artefacts if artefact.begin["role"] == "script"] == [content]


def test_names_that_end_like_the_kernels_mark_are_names(program: Path, attacked: Container) -> None:
    """A file that is really called so is not said to be deleted; its package is told."""
    path = "/tmp/really (deleted)"
    answer = attacked.look(program, binaries=[{"path": path, "sha256": "", "size": 0, "hashed_size": 0}])

    (pid,) = attacked.named("7004")
    process = by_pid(answer.documents["processes"], "processes")[pid]
    assert (process["exe"], process["exe_deleted"]) == (path, False)
    assert by_pid(answer.documents["matches"], "matches")[pid]["by"][0] == "exe"
    (told,) = answer.documents["files"]["files"]
    assert (told["package"]["manager"], told["package"]["name"], told["package"]["version"]) == (
        "dpkg",
        "tool",
        "1.2-3",
    )


def test_files_that_would_hold_a_reader_up_are_named_and_passed_over(program: Path, attacked: Container) -> None:
    """A pipe, a device, a sparse file links out of the container: each ends at once, nothing outside is read."""
    paths = ["/tmp/pipe", "/dev/zero", "/tmp/sparse", "/tmp/magic", "/tmp/up", "/tmp"]
    answer = attacked.look(
        program, libraries=[{"path": path, "sha256": "00" * 32, "size": 0, "hashed_size": 0} for path in paths]
    )

    told = {entry["path"]: entry for entry in answer.documents["files"]["files"]}
    assert {path: entry["on_disk"]["state"] for path, entry in told.items()} == {
        "/tmp/pipe": "not_regular",
        "/dev/zero": "not_regular",
        "/tmp/sparse": "unread",
        "/tmp/magic": "unread",
        "/tmp/up": "gone",
        "/tmp": "not_regular",
    }
    assert told["/tmp/sparse"]["hash"] == "unknown"
    assert [(a.end["why"], a.end["length"]) for a in answer.artefacts if a.begin["role"] == "library"] == [
        ("size_limit", 0)
    ]
    assert answer.end["took_ms"] < 30_000


def test_changed_files_are_told_with_their_marks(program: Path, attacked: Container) -> None:
    """Names of any bytes; what a compiler writes and what starts programs is marked; no mount is entered."""
    document = attacked.look(program, started_at=EARLIER).documents["changed_files"]

    marks = {entry["path"]: entry["marks"] for entry in document["files"]}
    assert marks['/tmp/�\n"x.o'] == ["compiler_output"]
    assert marks["/tmp/a.out"] == marks["/tmp/libevil.so"] == ["compiler_output"]
    assert marks["/etc/cron.d/evil"] == ["cron"]
    assert "/tmp/pipe" in marks
    assert not [path for path in marks if path.startswith(("/usr/", "/proc/", "/dev/"))]
    assert document["complete"]


def test_packages_are_kept_and_what_was_installed_since_is_told(program: Path, attacked: Container) -> None:
    """The databases as they are, for whatever a person asks them; a package is as new as its list of files."""
    answer = attacked.look(program, started_at=EARLIER)
    document = answer.documents["packages"]

    assert {(item["name"], item["version"]) for item in document["recent"]} == {("tool", "1.2-3"), ("gcc-12", "")}
    kept = {artefact.begin["id"]: bytes(artefact.data) for artefact in answer.artefacts}
    told = {item["path"]: kept[item["artefact"]] for item in document["databases"]}
    assert told == {
        f"/{path}": (attacked.root / path).read_bytes() for path in ("var/lib/dpkg/status", "var/log/dpkg.log")
    }
    assert document["complete"]
    assert attacked.look(program, started_at=LATER).documents["packages"]["recent"] == []


def test_a_compiler_is_told_with_its_package(program: Path, attacked: Container) -> None:
    """Each name that leads to it, and the program that it is."""
    found = attacked.look(program, started_at=EARLIER).documents["compilers"]

    told = [
        (item["path"], item["program"], item["package"]["name"])
        for item in found["compilers"]
        if item["path"].startswith("/tmp/")
    ]
    assert told == [("/tmp/cc", "/tmp/gcc-12", "gcc-12"), ("/tmp/gcc-12", "/tmp/gcc-12", "gcc-12")]


def test_another_user_finds_nothing_and_says_that_it_may_not(program: Path, attacked: Container) -> None:
    """Without rights nothing is proved, and nothing denied: what could not be read is counted."""
    answer = attacked.look(program, user=65532, capabilities="-all", binaries=[evil(attacked)], event_time=LATER)

    found = answer.documents["matches"]
    assert {tuple(match["by"]) for match in found["matches"]} <= {("args",), ("descendant",)}
    assert not found["complete"]
    assert found["unread"] >= 5
    assert answer.documents["files"]["files"][0]["hash"] == "unknown"
    assert answer.end["denied"]["exe"] >= 5
    assert answer.documents["run"]["capabilities"] == []


def test_the_targets_own_user_sees_its_own_processes(program: Path, attacked: Container) -> None:
    """In the target's own form, without any right: its program, its open files and the file at its path are read."""
    kept = (attacked.root / "kept-own").read_bytes()
    asked = [finding_file("/tmp/own", kept)]
    answer = attacked.look(program, user=1000, capabilities="-all", binaries=asked, event_time=LATER)

    (pid,) = attacked.named("7007")
    assert by_pid(answer.documents["matches"], "matches")[pid]["by"][:2] == ["sha256", "exe"]
    assert by_pid(answer.documents["processes"], "processes")[pid]["denied"] == []
    assert answer.documents["files"]["files"][0]["on_disk"]["matches"]
    assert [bytes(artefact.data) for artefact in answer.artefacts if artefact.begin["role"] == "binary"] == [kept]


FORKING = r"""
cp /usr/bin/dash /tmp/evil; printf tail >> /tmp/evil; cp /tmp/evil /kept
/tmp/evil -c 'while :; do sleep 7101 & sleep 0.01; done' &
setpriv --reuid 1000 --regid 1000 --clear-groups /tmp/evil -c 'sleep 7103 & wait' &
sleep 7102 &
"""


def test_a_matched_process_and_its_children_stand_still(program: Path, tmp_path: Path) -> None:
    """Also those that were born meanwhile. Others go on. A person lets all go on again, which takes KILL alone."""
    with container(tmp_path / "root", FORKING) as made:
        wait_until(lambda: len(made.named("7101")) > 3)
        answer = made.look(program, "-freeze", binaries=[evil(made)], event_time=LATER, started_at=EARLIER)

        frozen = [entry for entry in answer.documents["freeze"]["processes"] if entry["outcome"] == "frozen"]
        assert answer.documents["freeze"]["complete"]
        assert answer.documents["freeze_check"]["complete"]
        assert {made.state(entry["pid"]) for entry in frozen} == {"T"}
        assert {*made.named("7101"), *made.named("7103")} <= {entry["pid"] for entry in frozen}
        assert made.state(made.named("7102")[0]) == "S"
        asked = {"frozen": [{"pid": entry["pid"], "start_ticks": entry["start_ticks"]} for entry in frozen]}
        refused = made.collect(program, "thaw", user=65532, capabilities="-all", request=asked).documents["thaw"]
        assert ({entry["outcome"] for entry in refused["processes"]}, refused["complete"]) == ({"denied"}, False)
        thawed = made.collect(program, "thaw", capabilities="-all,+kill", request=asked)
        assert thawed.documents["thaw"]["thawed"] == len(frozen)
        assert made.state(made.named("7103")[0]) == "S"


def test_nothing_is_frozen_without_the_right_to(program: Path, tmp_path: Path) -> None:
    """Process 1 is impossible, a process of another user is denied: neither is complete, and both go on."""
    with container(tmp_path / "root", "sleep 7201 &") as made:
        wait_until(lambda: made.named("7201"))
        shell = Path("/usr/bin/dash").read_bytes()
        first = made.look(program, "-freeze", binaries=[finding_file("/usr/bin/dash", shell)], event_time=LATER)
        sleeper = finding_file("/usr/bin/sleep", Path("/usr/bin/sleep").read_bytes())
        denied = made.look(
            program,
            "-freeze",
            user=1000,
            capabilities="-all,+sys_ptrace,+dac_override",
            binaries=[sleeper],
            event_time=LATER,
        )

        assert [entry["outcome"] for entry in first.documents["freeze"]["processes"]] == ["impossible"]
        assert [entry["outcome"] for entry in denied.documents["freeze"]["processes"]] == ["denied"]
        for answer in (first, denied):
            assert not answer.documents["freeze"]["complete"]
            assert answer.documents["freeze"]["frozen_at"] == ""
        assert made.state(made.named("7201")[0]) == "S"


def test_the_workloads_own_shell_is_told_and_not_frozen(program: Path, tmp_path: Path) -> None:
    """Of two processes of one old program, the finding's words point at one."""
    with container(tmp_path / "root", "sleep 7301 & sleep 7302 &") as made:
        wait_until(lambda: made.named("7301") and made.named("7302"))
        content = Path("/usr/bin/sleep").read_bytes()
        now = "2090-01-01T00:00:00Z"
        answer = made.look(
            program,
            "-freeze",
            binaries=[finding_file("/usr/bin/sleep", content)],
            args=["sleep", "7301"],
            event_time=LATER,
            started_at=now,
        )

        found = by_pid(answer.documents["matches"], "matches")
        assert not found[made.named("7301")[0]]["own_program"]
        assert found[made.named("7302")[0]]["own_program"]
        assert made.state(made.named("7301")[0]) == "T"
        assert made.state(made.named("7302")[0]) == "S"
        assert not answer.documents["freeze"]["complete"]


def test_the_collectors_memory_is_closed_to_its_own_user(program: Path) -> None:
    """Another process of its user may not read its key or write into its answer: its entries belong to root."""
    key, asked = public_text(X25519PrivateKey.generate()), request_text()
    drop = ["setpriv", "--reuid", "65532", "--regid", "65532", "--clear-groups", "--bounding-set=-all"]
    arguments = [*drop, str(program), "look", f"-key={key}", f"-request={asked}"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, pipesize=4096) as collector:
        entry = Path(f"/proc/{collector.pid}")
        wait_until(lambda: (entry / "comm").read_text() == "collector\n" and (entry / "environ").stat().st_uid == 0)
        assert "Uid:\t65532" in (entry / "status").read_text()
        collector.kill()
