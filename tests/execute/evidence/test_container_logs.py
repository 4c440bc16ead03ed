"""A container's last lines are kept within their bounds, and what is no log is not taken for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import container_logs as module
from scc_responder.execute.evidence.container_logs import ContainerLog, ContainerRun, read_container_log, runs_of

STAMP = b"2026-11-29T12:00:00.000000001Z "
APP = ContainerRun(container="app")


class KubeletLog:
    """A `read_log` that bounds as a kubelet does: the last lines first, then the first bytes of these."""

    def __init__(self, *lines: bytes, cut_after: int | None = None) -> None:
        self.lines = lines
        self.cut_after = cut_after
        self.asked: list[tuple[int, int]] = []

    def read_log(self, _path: str, *, tail_lines: int, limit_bytes: int, **_: Any) -> Iterator[bytes]:
        self.asked.append((tail_lines, limit_bytes))
        whole = b"".join(STAMP + line + b"\n" for line in self.lines[-tail_lines:])[:limit_bytes]
        yield whole[: self.cut_after]
        if self.cut_after is not None:
            raise ApiError(Reason.TIMEOUT)


def log_of(api: Any, most: int = 4096) -> ContainerLog:
    """The log that is read from it."""
    return read_container_log(api, "/api/v1/namespaces/shop/pods/web-1/log", APP, most=most, until=monotonic() + 10)


def test_a_short_log_is_read_whole_and_once() -> None:
    """One request, and nothing is cut."""
    api = KubeletLog(b"one", b"two")
    log = log_of(api)
    assert (log.lines, log.cut, log.outcome, len(api.asked)) == (2, "", "kept", 1)


def test_the_newest_lines_of_a_long_log_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """`limitBytes` would keep the oldest: fewer lines are asked for until they are not cut."""
    monkeypatch.setattr(module, "MOST_LINES", 1000)
    monkeypatch.setattr(module, "_FEWER_LINES", 20)
    api = KubeletLog(*(b"%d %s" % (number, b"x" * 100) for number in range(2000)))
    log = log_of(api)
    assert log.content.splitlines()[-1].startswith(STAMP + b"1999 ")
    assert (log.cut, log.lines) == ("lines before the last 20", 20)
    assert api.asked == [(1000, 4096), (20, 4096)]


def test_so_few_lines_as_surely_fit_are_asked_for_last() -> None:
    """Lines of 16 KiB, as a flood of long ones is stored: the newest are kept, three requests at most."""
    long = [b"%04d" % number + b"x" * 16_300 for number in range(3000)]
    api = KubeletLog(*long)
    log = log_of(api, most=4 * 1024 * 1024)
    assert log.content.splitlines()[-1].startswith(STAMP + b"2999x")
    assert [lines for lines, _ in api.asked] == [20_000, 2_000, 240]


def test_what_came_before_the_time_was_over_is_kept() -> None:
    """It says so."""
    log = log_of(KubeletLog(b"one", b"two", cut_after=40))
    assert (log.outcome, log.cut, log.lines) == ("kept", "timeout", 2)


NO_LOGS: dict[str, tuple[Callable[[], ContainerLog], str, str]] = {
    "dead-under-a-finalizer": (
        lambda: ContainerLog(run=APP, content=b"unable to retrieve container logs for containerd://0a\x1b[2J"),
        "no_log",
        "unable to retrieve container logs for containerd://0a\\u001b[2J",
    ),
    "not-started": (
        lambda: ContainerLog(run=APP, error=ApiError(Reason.BAD_REQUEST, "waiting to start", status=400)),
        "not_started",
        "waiting to start",
    ),
    "refused": (
        lambda: ContainerLog(run=APP, error=ApiError(Reason.KUBERNETES_FORBIDDEN, permission="pods/log: get")),
        "failed",
        "missing permission: pods/log: get",
    ),
    "empty": (lambda: ContainerLog(run=APP), "empty", ""),
}


@pytest.mark.parametrize(("log", "outcome", "why"), NO_LOGS.values(), ids=NO_LOGS)
def test_an_answer_that_is_no_log_says_so(log: Callable[[], ContainerLog], outcome: str, why: str) -> None:
    """A text in a log's place has no time before it."""
    told = log().told()
    assert (told["outcome"], told.get("why", "")) == (outcome, why)


def test_a_container_cannot_speak_for_its_node() -> None:
    """What it writes has a time before it, whatever it is; the node's own word amid a log is counted."""
    forged = ContainerLog(run=APP, content=STAMP + b"unable to retrieve container logs for containerd://0a\n")
    assert (forged.outcome, "by_node" in forged.told()) == ("kept", False)
    told = ContainerLog(run=APP, content=STAMP + b"one\rtwo\n" + b"failed to watch file: too many open files").told()
    assert (told["outcome"], told["lines"], told["by_node"]) == ("kept", 2, 1)


def test_bytes_that_are_no_text_are_kept() -> None:
    """As escapes, so that what is stored is text."""
    assert ContainerLog(run=APP, content=STAMP + b"\xff\x00\n").as_text("shop/web-1").content.endswith(" \\xff\x00\n")


STATUS = {"containerStatuses": [{"name": "app", "restartCount": 2}, {"name": "side", "restartCount": 0}]}
SPEC = {
    "containers": [{"name": "side"}, {"name": "app"}, {"name": "scc-responder-look-like"}],
    "initContainers": [{"name": "init"}],
    "ephemeralContainers": [{"name": "debugger"}, {"name": "scc-responder-look-0a0a0a0a0a0a"}],
}


def test_each_container_has_its_runs() -> None:
    """Init and debug containers too; the finding's comes first; a pod's own container cannot take a name of ours."""
    runs = [str(run) for run in runs_of({"spec": SPEC, "status": STATUS}, ["app"])]
    assert runs == ["app", "side", "scc-responder-look-like", "init", "debugger", "app before its restart"]
    assert runs_of({}, []) == []
