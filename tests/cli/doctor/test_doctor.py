"""`scc-responder doctor` as a person and as a program meet it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from scc_responder.cli.doctor.doctor_report import doctor_text
from scc_responder.workbench.doctor.check import Check, fault, ok, skipped, unknown
from tests.cli.commands import Terminal, called, free_port, run
from tests.kits.responder import policy, write_policies

HOSTILE = "prod\x1b[2Jx\u202ey\nok      forged"


def settings_of(folder: Path, **other: str) -> Path:
    """A settings file of a deployment whose servers are not there."""
    write_policies(folder / "policies", policy("label_pod"))
    given = {
        "CLUSTERS": "projects/example-project/locations/europe-west1/clusters/prod-1",
        "SOURCES": "1111111111111111111",
        "STORE": f"sqlite:///{folder / 'none.db'}",
        "POLICIES": str(folder / "policies"),
        "SCOPE": "organizations/1",
        "SCC_ENDPOINT": f"127.0.0.1:{free_port()}",
        "GKE_ENDPOINT": f"127.0.0.1:{free_port()}",
        **other,
    }
    file = folder / "responder.env"
    file.write_text("# of terraform\n" + "".join(f"SCC_RESPONDER_{name}={value}\n" for name, value in given.items()))
    return file


def reasons(document: Mapping[str, list[dict[str, str]]]) -> dict[str, str]:
    """The checks that are not as they should be, with their reasons."""
    return {check["name"]: check["reason"] for check in document["checks"] if check["result"] != "ok"}


def test_json_holds_every_check_and_fix(tmp_path: Path) -> None:
    """One document, with every check, its result, why, and what fixes it; 1 where there is a fault."""
    done = called("doctor", "--settings", settings_of(tmp_path), "--format", "json")
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr, document["ok"]) == (1, "", False)
    assert reasons(document) == {
        "identity": "identity_not_named",
        "delivery.subscription": "subscription_not_named",
        "outcomes.topic": "outcome_topic_not_set",
        "findings.list": "scc_unavailable",
        "store": "no_store",
        "evidence.write": "evidence_not_set",
        "cluster.found": "gke_unavailable",
    }
    assert all(check["mend"] for check in document["checks"] if check["result"] in {"fault", "unknown"})
    assert sum(document["counts"].values()) == len(document["checks"])
    assert not (tmp_path / "none.db").exists()


def test_an_unknown_result_fails_only_when_asked(tmp_path: Path) -> None:
    """What is unknown is no fault, unless it is asked for."""
    asked = ("doctor", "--settings", settings_of(tmp_path), "--only", "delivery")
    assert [called(*asked).returncode, called(*asked, "--strict").returncode] == [0, 1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "No such file"),
        ("SCC_RESPONDER_STORE", ":1: must be NAME=VALUE"),
        ("A=1\n\nA=2", ":3: A is given twice"),
        (b"\xff", "not UTF-8"),
    ],
    ids=["absent", "no-value", "twice", "bytes"],
)
def test_an_unusable_settings_file_is_named(tmp_path: Path, text: str | bytes | None, told: str) -> None:
    """A file that cannot be used is wrong use, and the message names file and line."""
    file = tmp_path / "x.env"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = called("doctor", "--settings", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{file}" in done.stderr
    assert told in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "No such file"),
        ("projects/p/locations/l/clusters/c\n\nprod-1\n", ":3: 'prod-1' is not projects/P/locations/L/clusters/C"),
        ("projects/p/locations/l/clusters/\x1b[2J", ":1: 'projects/p/locations/l/clusters/\\x1b[2J' is not"),
        (b"\xff", "not UTF-8"),
    ],
    ids=["absent", "short-name", "escape", "bytes"],
)
def test_an_unusable_clusters_file_is_named(tmp_path: Path, text: str | bytes | None, told: str) -> None:
    """A list of clusters that cannot be used is wrong use, and the message names file and line."""
    file = tmp_path / "clusters.txt"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = called("doctor", "--settings", settings_of(tmp_path), "--clusters-from", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{file}" in done.stderr
    assert told in done.stderr


def test_clusters_from_a_pipe(tmp_path: Path) -> None:
    """What a listing prints is read from standard input; several may be named besides."""
    names = [f"projects/example-project/locations/europe-west1/clusters/c{number}" for number in range(4)]
    settings = settings_of(tmp_path, CLUSTERS="projects/*/locations/*/clusters/*")
    asked = ["doctor", "--settings", settings, "--only", "cluster", "--format", "json", "--clusters-from", "-"]
    done = run(*asked, "--cluster", names[2], "--cluster", names[3], stdin="\n".join(names[:2]))
    probed = [one["probed"] for one in json.loads(done.stdout)["checks"] if one["name"] == "cluster.found"]
    assert sorted(probed) == names
    nothing = run(*asked, stdin="")
    assert (nothing.returncode, reasons(json.loads(nothing.stdout))["cluster.listed"]) == (1, "no_cluster_probed")


@pytest.mark.parametrize("text", ["banana", "0", "1e9", "nan"])
def test_seconds_must_be_a_number(text: str) -> None:
    """What is no number of seconds is wrong use, and says what is one."""
    done = called("doctor", "--seconds", text)
    assert done.returncode == 2
    assert f"argument --seconds: must be a number from 1 to 3600, not '{text}'" in done.stderr


def test_a_settings_file_replaces_the_environment(tmp_path: Path) -> None:
    """Without a file the environment is read; with one, nothing of the environment's own settings is left."""
    given = {"SCC_RESPONDER_EVIDENCE": "gs://of-the-environment/x"}
    done = called("doctor", "--settings", settings_of(tmp_path), "--only", "evidence", "--format", "json", **given)
    assert "of-the-environment" not in done.stdout
    bare = json.loads(called("doctor", "--format", "json", **given).stdout)
    assert [check["reason"] for check in bare["checks"]] == ["missing_setting"]


def test_a_terminal_shows_results_in_colour(tmp_path: Path) -> None:
    """On a terminal a fault is red and what is unknown yellow; elsewhere there is no colour."""
    file = str(settings_of(tmp_path))
    shown = Terminal("doctor", "--settings", file, "--only", "store", "--only", "delivery")
    assert shown.ended() == 1
    assert "\x1b[31mfault" in shown.shown
    assert "\x1b[33munknown" in shown.shown
    assert "\x1b[32mok" in shown.shown
    assert "\x1b" not in called("doctor", "--settings", file, "--only", "store").stdout


def test_a_terminal_shows_progress_over_clusters(tmp_path: Path) -> None:
    """Over many clusters, a terminal shows how far it has come."""
    names = ",".join(f"projects/example-project/locations/europe-west1/clusters/c{number}" for number in range(60))
    file = str(settings_of(tmp_path, CLUSTERS=names))
    shown = Terminal("doctor", "--settings", file, "--only", "cluster")
    shown.wait_for("of 61 probes")
    assert shown.ended() == 1
    assert shown.shown.count("cluster.found") == 60


ONE_OF_EACH = [
    ok("store", HOSTILE, HOSTILE),
    fault("control", HOSTILE, "control_disabled", HOSTILE, f"do {HOSTILE}"),
    unknown("evidence", HOSTILE, "r", HOSTILE, HOSTILE),
    skipped("outcomes", HOSTILE, "r", HOSTILE),
]


def test_hostile_text_moves_no_cursor() -> None:
    """What others wrote moves no cursor, hides nothing and makes no line of its own."""
    lines = list(doctor_text(ONE_OF_EACH))
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line.startswith("ok ")] == [lines[0]]
    assert "\\u202e" in lines[0]


def test_passing_checks_share_a_line() -> None:
    """What is as it should be takes one line for each kind of check; every fault has its own, and its fix in full."""
    checks = [ok("cluster.permission", f"prod-1 {number}") for number in range(9)]
    faults = [fault("cluster.permission", f"prod-2 {number}", "permission_missing", "why", "fix it") for number in "ab"]
    lines = list(doctor_text([*checks[:5], *faults, *checks[5:]]))
    assert sum("cluster.permission" in line for line in lines) == 3
    assert "9 probed" in lines[0]
    assert sum("fix: fix it" in line for line in lines) == 2
    assert lines[-1] == "9 ok, 2 faults"


def test_fixes_can_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part of a fix is a line of its own, whole however narrow the terminal is."""
    monkeypatch.setenv("COLUMNS", "60")
    command = f"gcloud pubsub subscriptions update {'x' * 80} --ack-deadline=140"
    told = fault("delivery.ack_deadline", "push", "ack_deadline_short", "why", f"{command}; or: terraform apply")
    assert list(doctor_text([told]))[2:4] == [f"     fix: {command}", "      or: terraform apply"]


def test_an_empty_report_is_no_mistake() -> None:
    """A report of nothing is no mistake."""
    empty: list[Check] = []
    assert list(doctor_text(empty)) == ["", ""]
