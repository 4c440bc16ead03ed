"""The goldens: complete, true to the catalogue, free of drift, and explained as their decision files say."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from scc_responder.cli.main import main
from scc_responder.domain.finding import Finding
from scc_responder.intake.notification import content_digest, parse_notification
from scc_responder.intake.threats import SURFACES, Row, catalogue, classify
from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.findings import FOLDER, RUNBOOKS, every_golden, notification
from tests.findings import generate as generator
from tests.findings.expected import reduced
from tests.findings.traps import BASE, traps

IPV4 = re.compile(r"(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w.])")
DOCUMENTATION = [ipaddress.ip_network(block) for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
SPELLINGS = [
    name
    for name in traps()
    if name
    not in {
        "broken_time", "cloud_logging_export", "list_findings_two", "not_json", "other_json", "vulnerability",
        "admission_refused", "agents_name_elsewhere", "agents_principal", "v1_of_2019", "json_encoded_args",
        "hostile_text", "gson_escapes", "gson_escapes_doubled", "lone_surrogate", "source_properties_alone",
        "project_number", "console_json_tab", "machine_v1",
    }
]  # fmt: skip
"""Traps that only spell the same finding otherwise."""


def path_of(row: Row) -> Path:
    return FOLDER / "catalogue" / row.detector / f"{row.name}.json"


def parsed(row: Row) -> Finding:
    return parse_notification(path_of(row).read_bytes())


def test_nothing_has_drifted() -> None:
    """Goldens, contexts, decisions and the table of threats are what the generator makes of catalogue and policies."""
    assert generator.drift(generator.generated()) == [], f"run: {generator.COMMAND}"


def test_drift_is_noticed(tmp_path: Path) -> None:
    """A file that is missing, or was changed, is named."""
    changed, missing = tmp_path / "changed.json", tmp_path / "missing.json"
    changed.write_text("{}\n")
    assert generator.drift({changed: "[]\n", missing: "{}\n"})[:2] == [f"differs: {changed}", f"missing: {missing}"]


@pytest.mark.parametrize("name", [name for name in every_golden() if name not in RUNBOOKS])
def test_explain_gives_the_expected_decision(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`scc-responder explain` says of every golden, with the context beside it, what its decision file says."""
    context = FOLDER / f"{name}.context.json"
    given = ["--context", str(context)] if context.exists() else []
    told_by = ["explain", str(FOLDER / f"{name}.json"), *given, "--policies", str(PACK), "--format", "json"]

    status = main(told_by)

    expected = json.loads((FOLDER / f"{name}.decision.json").read_text())
    assert reduced(json.loads(capsys.readouterr().out)) == expected
    assert status == (1 if expected["rejected"] else 0)


@pytest.mark.parametrize("row", catalogue(), ids=lambda row: row.name)
def test_every_row_has_a_golden_of_its_own(row: Row) -> None:
    """Each category of each detector has a notification that means it, and contradicts nothing."""
    found = parsed(row)
    threat = classify(found)
    assert (threat.name, threat.detector, threat.surface) == (row.name, row.detector, row.surface)
    assert (found.category, found.contradictions, found.truncated) == (row.category, (), ())


SHOWN = {
    "processes[]": lambda found: found.processes,
    "binary.{path,sha256}": lambda found: found.processes[0].sha256,
    "libraries[]": lambda found: found.processes[0].library_files[0].sha256,
    "script.": lambda found: found.processes[0].script_file.contents,
    "parentPid": lambda found: found.processes[0].parent_pid > 1,
    "files[]": lambda found: found.files,
    "operations": lambda found: found.files[0].operations,
    "connections[]": lambda found: found.connections,
    "indicator": lambda found: found.indicators,
    "kernelRootkit": lambda found: found.indicators,
    "access.": lambda found: (found.principal or found.principal_subject) and found.caller_ip and found.method_name,
    "kubernetes.pods": lambda found: found.pod,
    "pods,objects": lambda found: found.pod and found.objects,
    "kubernetes.objects": lambda found: found.objects,
    "roles": lambda found: [item for item in found.objects if item.kind in {"Role", "ClusterRole"}],
    "bindings": lambda found: [item for item in found.objects if item.kind.endswith("Binding") and item.role],
    "accessReviews": lambda found: found.access_reviews,
    "containers[].uri": lambda found: found.containers[0].image,
}
"""What must be in the normalised finding, by what its row says of its special fields."""


@pytest.mark.parametrize("row", catalogue(), ids=lambda row: row.name)
def test_special_fields_arrive(row: Row) -> None:
    """What the catalogue says is special about a finding is in its golden, and in what is made of it."""
    found = parsed(row)
    wanted = [part for part in SHOWN if part in row.fields]
    assert wanted
    assert [part for part in wanted if not SHOWN[part](found)] == []


NAMED = {
    "pod": lambda found: found.cluster and found.pod and not found.cloud_run,
    "node": lambda found: (found.node or found.pod) and not found.cloud_run,
    "cluster": lambda found: found.cluster and not found.pods,
    "rbac": lambda found: found.cluster and (found.principal or found.principal_subject),
    "cloud_run": lambda found: found.cloud_run and not found.cluster,
    "agent": lambda found: found.agent and not found.cluster and not found.cloud_run,
}


@pytest.mark.parametrize("surface", SURFACES)
def test_every_surface_names_its_target(surface: str) -> None:
    """A golden names what its surface is about, and nothing of another; a static pod stands for its node."""
    assert [row.name for row in catalogue() if row.surface == surface and not NAMED[surface](parsed(row))] == []


@pytest.mark.parametrize("name", SPELLINGS)
def test_other_spellings_say_the_same(name: str) -> None:
    """However a serialiser prints a finding, it is the same finding and says the same."""
    plain = parse_notification(notification(BASE))
    found = parse_notification((FOLDER / "traps" / f"{name}.json").read_bytes())
    assert (found.key, found.pod, found.node) == (plain.key, plain.pod, plain.node)
    assert content_digest(found) == content_digest(plain)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("gson_escapes", ("python3", "-c", "a=1; b='x' && cat <in >out")),
        ("gson_escapes_doubled", ("python3", "-c", "a=1; b='x' && cat <in >out")),
        ("json_encoded_args", ("python3", "-c", 'print("hi")\\u000a\\u202e')),
        ("lone_surrogate", ("\\ud83d", "python3", "/app/server.py")),
        ("source_properties_alone", ("python3", "/app/server.py")),
        ("console_json_tab", ("python3", "/app/server.py")),
        ("v1_of_2019", ("python3", "/app/server.py")),
    ],
)
def test_arguments_survive_their_escapes(name: str, args: tuple[str, ...]) -> None:
    """The command line is what was run, whatever escapes it went through, with nothing hidden in it."""
    found = parse_notification((FOLDER / "traps" / f"{name}.json").read_bytes())
    assert found.processes[0].args == args
    assert found.processes[0].binary == "/usr/local/bin/python3.12"


def test_a_machine_known_by_its_number() -> None:
    """An instance's number names no node, but is kept; what was found in its memory is an indicator."""
    found = parse_notification((FOLDER / "traps" / "machine_v1.json").read_bytes())
    number = "projects/example-project/zones/europe-west1-b/instances/5289438569693667937"
    assert (found.node, found.instance, found.contradictions) == ("", number, ())
    assert found.indicators == ("XMRig", "YARA_RULE1")
    assert classify(found).name == "vm_cryptocurrency_mining_combined_detection"


def test_twins_are_told_apart() -> None:
    """The 34 categories that detectors share have two goldens each, 22 of them three, which mean as many threats."""
    by_category: dict[str, set[str]] = {}
    for row in catalogue():
        by_category.setdefault(row.category.casefold(), set()).add(classify(parsed(row)).name)
    assert Counter(len(names) for names in by_category.values() if len(names) > 1) == {2: 12, 3: 22}


def test_goldens_are_small() -> None:
    """A reader can take them in: no file is over 6 KB, and all together are under 2 MB."""
    sizes = {path: path.stat().st_size for path in FOLDER.rglob("*") if path.suffix in {".json", ".md"}}
    goldens = [FOLDER / f"{name}.json" for name in every_golden()]
    assert [str(path) for path in goldens if sizes[path] > 6_000] == []
    assert sum(sizes.values()) < 2_000_000


def test_goldens_are_synthetic() -> None:
    """Addresses are those of documentation, projects and domains are examples."""
    for path in FOLDER.rglob("*.json"):
        text = path.read_text()
        addresses = {ipaddress.ip_address(found) for found in IPV4.findall(text)}
        assert [str(item) for item in addresses if not any(item in block for block in DOCUMENTATION)] == [], path
        assert set(re.findall(r"projects/([a-z][a-z0-9-]+)/", text)) <= {"example-project"}, path


def test_the_table_names_every_threat() -> None:
    """The table for people has one line for each threat, and links only to policies that are there."""
    lines = [line for line in generator.TABLE.read_text().splitlines() if "`" in line and line.startswith("| ")]
    assert [line.split("`")[1] for line in lines] == [row.name for row in catalogue()]
    linked = {name for line in lines for name in re.findall(r"\(([a-z-]+\.yaml)\)", line)}
    assert [name for name in linked if not (PACK / name).exists()] == []
    assert linked
