"""A collector's log is opened whole, or known not to be: no line that others write ever tells anything."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from scc_responder.domain.kubernetes.collector_stream import Frame, Truncated, new_private_key, public_text, read_frames
from tests.kits.collector_logs import artefact, document, ended, frame, pieces, sealed

PLAIN = document("run", mode="look") + artefact(b"\x7fELF" + bytes(30_000)) + document("matches")


def read(log: bytes, private: bytes, size: int = 777, **how: bool) -> tuple[list[Frame], str]:
    """The frames that came, and why no more did."""
    frames = []
    try:
        for item in read_frames(pieces(log, size), private, **how):
            frames.append(item)  # noqa: PERF402 - what came before an error counts
    except Truncated as error:
        return frames, str(error)
    return frames, ""


@pytest.mark.parametrize("size", [1, 777, 1 << 20])
def test_a_whole_log_is_read_to_its_end(size: int) -> None:
    """Whatever pieces it comes in, the frames are those that were written."""
    private = new_private_key()
    frames, why = read(sealed(ended(PLAIN), public_text(private)), private, size)
    assert (why, [item.kind.value for item in frames]) == ("", ["J", "A", "D", "E", "J", "Z"])
    assert frames[0].json() == {"name": "run", "mode": "look"}
    assert len(public_text(private)) == 43


def lines(log: bytes) -> list[bytes]:
    """The log's lines, with their ends."""
    return log.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        pytest.param(lambda log: b"".join(lines(log)[:-1]), "the log ends before its last chunk", id="cut"),
        pytest.param(lambda log: log[:-20], "the log ends before its last chunk", id="half-line"),
        pytest.param(lambda log: b"".join([*lines(log)[:2], *lines(log)[3:]]), "before its last chunk", id="left-out"),
        pytest.param(lambda log: b"".join([lines(log)[0], *lines(log)[:0:-1]]), "before its last chunk", id="moved"),
        pytest.param(lambda log: b"".join(lines(log)[1:]), "begins with SCCR1", id="no-head"),
        pytest.param(lambda log: log + log, "two senders", id="twice"),
        pytest.param(lambda log: lines(log)[0] + log, "two senders", id="foreign-head"),
        pytest.param(lambda log: log + b"SCCR1 QUJD\n", "two senders", id="foreign-tail"),
        pytest.param(lambda _log: b"SCCR1 QUJD\nAAAA\n", "the collector's key is none", id="bad-key"),
        pytest.param(lambda log: lines(log)[0] + b"x" * 100_000, "a line is longer", id="long-line"),
        pytest.param(lambda _log: b"", "begins with SCCR1", id="empty"),
    ],
)
def test_a_log_that_is_not_whole_is_known(spoil: Callable[[bytes], bytes], why: str) -> None:
    """What was cut off, left out, moved or written twice never passes for the whole."""
    private = new_private_key()
    frames, told = read(spoil(sealed(ended(PLAIN), public_text(private))), private)
    assert why in told
    assert "Z" not in [item.kind.value for item in frames]


def test_the_end_of_a_log_that_is_one_sender_s_is_not_waited_for() -> None:
    """Its last frame is the end; one that is not whole is known all the same."""
    private = new_private_key()
    log = sealed(ended(PLAIN), public_text(private))
    frames, why = read(log + b"SCCR1 QUJD\n", private, alone=True)
    assert (why, frames[-1].kind.value) == ("", "Z")
    assert "before its last chunk" in read(b"".join(lines(log)[:-1]), private, alone=True)[1]


def test_foreign_lines_are_passed_over() -> None:
    """A line that somebody else wrote tells nothing, and hides nothing."""
    private = new_private_key()
    log = b"hello\n" + b"".join(
        line + b'AAAA\n{"matched": 0}\n' for line in lines(sealed(ended(PLAIN), public_text(private)))
    )
    frames, why = read(log, private)
    assert (why, len(frames)) == ("", 6)


def test_another_key_opens_nothing() -> None:
    """Without the case's key the log is noise."""
    frames, why = read(sealed(ended(PLAIN), public_text(new_private_key())), new_private_key())
    assert (frames, why) == ([], "the log ends before its last chunk")


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        pytest.param(ended(PLAIN, length=1), "length or hash", id="length"),
        pytest.param(ended(PLAIN, sha256=hashlib.sha256(b"").hexdigest()), "length or hash", id="hash"),
        pytest.param(PLAIN, "before the stream does", id="no-end"),
        pytest.param(frame("?", b"{}"), "unknown kind", id="kind"),
        pytest.param(b"J" + b"\xff" * 4 + b"{}", "larger than any", id="size"),
        pytest.param(frame("Z", b"[]"), "no JSON object", id="no-object"),
        pytest.param(frame("Z", b'{"a":' * 50_000), "no JSON object", id="deep"),
    ],
)
def test_frames_that_make_no_sense_are_refused(plain: bytes, why: str) -> None:
    """The end says how long the whole is, and its hash; nothing is believed that it does not cover."""
    private = new_private_key()
    assert why in read(sealed(plain, public_text(private)), private)[1]
