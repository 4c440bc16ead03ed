"""Secrets are left out of a log, and nothing else of it."""

from __future__ import annotations

import time

from scc_responder.execute.evidence.log_text import PART_LENGTH, redact_log

STAMP = "2026-11-29T12:00:00.000000001Z "


def test_a_log_without_secrets_stays_as_it_is() -> None:
    """Its times too."""
    text = "".join(f"{STAMP}GET /cart/{number} 200\n" for number in range(4000)) + STAMP + "no end"
    assert redact_log(text).content == text
    assert redact_log("").content == ""


def test_a_secret_is_left_out_of_its_line() -> None:
    """And named by the lines of its part."""
    kept = redact_log(f"{STAMP}one\n{STAMP}password=hunter2secret x\n")
    assert kept.content == f"{STAMP}one\n{STAMP}password=redacted x\n"
    assert [(item.path, item.rule.value) for item in kept.redactions] == [("lines 1 to 3", "named_secret")]


def test_a_secret_on_the_next_line_is_left_out() -> None:
    """The time that begins the next line is not taken for it."""
    assert redact_log(f"{STAMP}password:\n{STAMP}hunter2secret\n").content == f"{STAMP}password:\n{STAMP}redacted\n"


def test_a_key_of_several_lines_is_left_out() -> None:
    """Whatever stands before each of its lines."""
    key = [
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIEowIBAAKCAQEA0000",
        "abcdefghijklmnop",
        "-----END RSA PRIVATE KEY-----",
    ]
    kept = redact_log("".join(f"{STAMP}{line}\n" for line in ("one", *key, "two"))).content
    assert "MIIE" not in kept
    assert "abcdefghijkl" not in kept
    assert (kept.startswith(f"{STAMP}one\n"), kept.endswith(f"{STAMP}two\n")) == (True, True)


def test_a_log_of_any_length_is_looked_through() -> None:
    """No part is left out for its length, not even one line of many parts."""
    lines = [f"{STAMP}token=abcdef{number:06}\n" for number in range(5000)]
    kept = redact_log("".join(lines) + "x" * (3 * PART_LENGTH)).content
    assert (kept.count("token=redacted"), kept.count("x")) == (5000, 3 * PART_LENGTH)


def test_a_large_log_takes_seconds_at_most() -> None:
    """A million characters, in processor time: what a busy service writes in some minutes."""
    line = '{"level":"info","msg":"GET /api/v1/cart/4711 200","took":3,"ip":"192.0.2.7","trace":"9f86d081884c7d65"}\n'
    text = "".join(STAMP + line for _ in range(1_000_000 // len(STAMP + line)))
    began = time.process_time()
    assert redact_log(text).redactions == ()
    assert time.process_time() - began < 5
