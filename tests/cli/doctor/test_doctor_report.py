"""What doctor found, as a table for people and a document for programs."""

from __future__ import annotations

from scc_responder.cli.doctor.doctor_report import doctor_json, doctor_text
from scc_responder.workbench.doctor.check import OR, THEN, Check, fault, ok, skipped, unknown

CHECKS = [
    ok("cluster.read", "prod-1"),
    fault("store", "sqlite", "unwritable", "it cannot be written", f"chmod +w x{THEN}run doctor again{OR}name another"),
    ok("cluster.read", "prod-2"),
    ok("clock", "store", "the clocks agree"),
    unknown("identity", "IDENTITY", "identity_not_named", "who asks is not known", "set IDENTITY"),
    skipped("heartbeat", "", "heartbeat_not_set", "no heartbeat"),
]


def lines(*checks: Check) -> list[str]:
    return list(doctor_text(checks))


def test_what_is_sound_takes_one_line_each_kind() -> None:
    """Two clusters are one line, and a single check says of what."""
    told = lines(*CHECKS)
    assert [line for line in told if line.startswith("ok")] == [
        "ok      cluster.read  2 probed",
        "ok      clock         store: the clocks agree",
    ]


def test_a_fault_says_why_and_what_fixes_it() -> None:
    """Each part of the fix has a line of its own."""
    told = lines(*CHECKS)
    start = told.index("fault   store         sqlite")
    assert told[start + 1 : start + 5] == [
        "    unwritable: it cannot be written",
        "     fix: chmod +w x",
        "    then: run doctor again",
        "      or: name another",
    ]
    assert told[-1] == "3 ok, 1 fault, 1 unknown, 1 skipped"


def test_a_long_reason_is_wrapped() -> None:
    """A fix is not: a command is there to be copied."""
    long = "word " * 60
    told = lines(fault("store", "s", "r", long, long))
    assert max(len(line) for line in told if "fix:" not in line) <= 120
    assert any(len(line) > 200 for line in told if "fix:" in line)


def test_hostile_text_stays_on_its_line() -> None:
    """Names come from clusters and servers."""
    told = lines(fault("store", "a\x1b[2J", "r", "b\nc", "d"))
    assert not any("\x1b" in line or "\n" in line for line in told)


def test_a_document_counts_and_holds_all() -> None:
    """It is well where there is no fault."""
    document = doctor_json(CHECKS)
    assert (document["ok"], document["counts"]) == (False, {"ok": 3, "fault": 1, "unknown": 1, "skipped": 1})
    assert [check["name"] for check in document["checks"]] == [check.name for check in CHECKS]
    assert doctor_json([])["ok"]
    assert list(doctor_text([])) == ["", ""]
