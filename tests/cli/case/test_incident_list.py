"""`case list --incidents`, `case show --incident`: what belongs together is shown so, and nothing is left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli.case.incident_list import with_headings
from scc_responder.cli.main import main
from scc_responder.domain.status import CaseState
from scc_responder.entrypoint.console.incidents import in_incidents, incidents
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from tests.kits.journal_worlds import START

CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"


def made(letter: str, state: CaseState, uid: str, minutes: int, image: str = "") -> CaseRecord:
    pod = {"uid": uid, "namespace": "shop", "name": f"web-{letter}", "node": "", "workload": ""}
    return CaseRecord(
        finding_key=letter * 64,
        finding_name="f",
        category=f"Threat {letter}",
        event_time=START + timedelta(minutes=minutes),
        updated_at=datetime.now(UTC) - timedelta(minutes=minutes),
        digest="d",
        state=state,
        cluster=CLUSTER,
        decision={
            "policy_digest": "p",
            "pod": pod,
            "images": [image] if image else [],
            "subject": {"about": [f"pod {uid}"]},
        },
    )


RECORDS = [
    made("a", CaseState.HELD, "u1", 0, "sha256:aa"),
    made("b", CaseState.HELD, "u2", 1, "sha256:aa"),
    made("c", CaseState.DONE, "u1", 2),
]
"""The first and the last are about one pod; the second has the image of the first."""


@pytest.fixture
def store(tmp_path: Path) -> list[str]:
    kept = SqliteStore(tmp_path / "journal.db")
    for record in RECORDS:
        kept.create(f"case/{record.finding_key}", encode(record))
    kept.close()
    return ["--store", str(tmp_path / "journal.db")]


def test_the_cases_of_an_incident_stand_together(store: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Under one line with its id, count, place and time; what needs a person first is still first."""
    assert main(["case", "list", *store]) == 0
    plain = capsys.readouterr().out.splitlines()
    assert [line.split()[0][0] for line in plain] == ["a", "b", "c"]
    assert main(["case", "list", "--incidents", *store]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    first, last = (f"{START + timedelta(minutes=minutes):%Y-%m-%d %H:%M}" for minutes in (0, 2))
    assert heading == f"incident aaaaaaaaaaaa  2 cases, in {CLUSTER}, {first} to {last} UTC"
    assert lines == [f"  {plain[0]}", f"  {plain[2]}", plain[1]]


def test_an_image_in_two_clusters_is_told(store: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After the cases, from these alone; in JSON each case has what it names itself."""
    there = replace(made("d", CaseState.DONE, "u9", 3, "sha256:aa"), cluster="projects/example-project")
    kept = SqliteStore(tmp_path / "journal.db")
    kept.create(f"case/{there.finding_key}", encode(there))
    kept.close()
    assert main(["case", "list", "--incidents", *store]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"spread  image sha256:aa in 2 places, by cases: projects/example-project (1), {CLUSTER} (2)"
    assert main(["case", "list", "--incidents", "--format", "json", *store]) == 0
    told = {item["case"][0]: [each["value"] for each in item["spread"]] for item in json.loads(capsys.readouterr().out)}
    assert told == {"a": ["sha256:aa"], "b": ["sha256:aa"], "c": [], "d": ["sha256:aa"]}
    assert main(["case", "report", "d" * 12, *store]) == 0
    assert "spread: image sha256:aa in 2 places" in capsys.readouterr().out


def test_an_incident_is_counted_whole(store: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Also where a filter or a limit leaves cases of it out."""
    assert main(["case", "list", "--incidents", "--state", "done", *store]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.startswith("incident aaaaaaaaaaaa  2 cases, ")
    assert line.startswith("  cccccccccccc")
    assert main(["case", "list", "--incidents", "--limit", "1", *store]) == 0
    heading, line, left = capsys.readouterr().out.splitlines()
    assert (heading.split()[1], line.split()[0], left.split()[0]) == ("a" * 12, "a" * 12, "2")


def test_as_json_each_case_names_its_incident(store: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Where it was asked for; a case alone is an incident of its own."""
    assert main(["case", "list", "--incidents", "--format", "json", *store]) == 0
    told = {item["case"][0]: item["incident"][0] for item in json.loads(capsys.readouterr().out)}
    assert told == {"a": "a", "b": "b", "c": "a"}
    assert main(["case", "list", "--format", "json", *store]) == 0
    assert all("incident" not in item for item in json.loads(capsys.readouterr().out))


def test_a_case_is_shown_with_its_incident(store: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The other cases of it, and the incidents with the same image; only where it was asked for."""
    assert main(["case", "show", "a" * 12, "--incident", *store]) == 0
    text = capsys.readouterr().out
    assert f"incident aaaaaaaaaaaa: case cccccccccccc: Threat c: shop/web-c in {CLUSTER}; done" in text
    assert "incident bbbbbbbbbbbb: the same image runs also there: 1 case" in text
    assert main(["case", "show", "a" * 12, *store]) == 0
    assert "incident" not in capsys.readouterr().out


def test_without_incidents_a_list_stays_as_it_is() -> None:
    """Neither order nor lines change; a line that is no case's is kept, too."""
    assert in_incidents(RECORDS, ()) == RECORDS
    lines = [*"abc", "one that cannot be read"]
    assert [*with_headings(lines, RECORDS, ())] == lines
    together = in_incidents(RECORDS, incidents(RECORDS))
    assert [record.finding_key[0] for record in together] == ["a", "c", "b"]
