"""`scc-responder threats`: the catalogue, listed and narrowed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.cli.main import main
from scc_responder.cli.threats import FILTERS, SHORT
from scc_responder.intake.threats import catalogue
from tests.cli.commands import Terminal

ESCAPE = "\x1b["


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The names of the threats that are printed as JSON, the exit status being 0."""
    assert main(["threats", *arguments, "--format", "json"]) == 0
    return [row["name"] for row in json.loads(capsys.readouterr().out)]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said of wrong use: on stderr alone, with exit status 2."""
    assert main(["threats", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_json_is_the_whole_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON has every row with every field, in the catalogue's order."""
    main(["threats", "--format", "json"])
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [row.name for row in catalogue()]
    assert {frozenset(row) for row in rows} == {frozenset(type(catalogue()[0]).__struct_fields__)}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in FILTERS.items() for value in values])
def test_each_filter_leaves_exactly_its_threats(capsys: pytest.CaptureFixture[str], name: str, value: str) -> None:
    """Every value of every filter leaves exactly the threats that have it."""
    expected = [row.name for row in catalogue() if getattr(row, name) == value]
    assert expected
    assert listed(capsys, f"--{name}", value) == expected


@pytest.mark.parametrize(
    ("given", "meant"),
    [pytest.param(["--detector", short], ["--detector", full], id=f"short for {full}") for short, full in SHORT.items()]
    + [
        pytest.param(["--detector", "Event Threat Detection"], ["--detector", "etd"], id="display name"),
        pytest.param(["--detector", "event-threat-detection"], ["--detector", "etd"], id="dashes"),
        pytest.param(["--severity", "critical"], ["--severity", "CRITICAL"], id="severity in lower case"),
        pytest.param(["--surface", "cloud-run"], ["--surface", "cloud_run"], id="surface with a dash"),
        pytest.param(["REVERSE", "shell"], ["reverse", "SHELL"], id="words in any case"),
    ],
)
def test_values_are_read_in_any_spelling(
    capsys: pytest.CaptureFixture[str], given: list[str], meant: list[str]
) -> None:
    """Values are understood as people spell them."""
    assert listed(capsys, *given) == listed(capsys, *meant)


def test_filters_narrow_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    """Several filters must all hold; several values of one mean any of them."""
    found = listed(capsys, "--surface", "node", "--detector", "etd", "--kind", "ioc", "ip")
    assert found == ["malware_bad_ip", "cryptomining_pool_ip", "log4j_bad_ip"]
    either = listed(capsys, "--surface", "rbac", "--surface", "cluster")
    assert either == [row.name for row in catalogue() if row.surface in {"rbac", "cluster"}]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("cloud_run_reverse_shell", "cloud_run_reverse_shell"),
        ("Memfd", "fileless_execution_detection_memfd"),
        ("CVE-2024-47177", "possible_arbitrary_command_execution_through_cups"),
        ("T1027.004", "launch_code_compiler_tool_in_container"),
        ("KERNEL_INTEGRITY_TAMPERING", "vm_rootkit"),
        ("break-glass", "binary_authorization_breakglass_workload_create"),
    ],
)
def test_search_looks_in_all_text(capsys: pytest.CaptureFixture[str], word: str, name: str) -> None:
    """A word is looked for in names, categories, other spellings, meanings, rule and technique ids."""
    assert name in listed(capsys, word)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--surface", "pdo"], "unknown surface 'pdo', expected one of: pod, node, cluster, rbac, cloud_run"),
        (["--surface", "pdo"], "did you mean 'pod'?"),
        (["--detector", "crt"], "did you mean 'cloud_run_threat_detection'?"),
        (["--confidence", "confirm"], "did you mean 'confirmed'?"),
        (["--severity", "hihg"], "did you mean 'HIGH'?"),
        (["--kind", "\x1b[31mred"], "unknown kind '\\x1b[31mred'"),
    ],
)
def test_unknown_filter_values(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    """A filter word that does not exist is an error that names those that do, and the nearest."""
    assert said in refused(capsys, *arguments)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("revrse_shell", "no threat fits; did you mean 'reverse_shell'?"),
        ("rootkid", "no threat fits; did you mean 'rootkit'?"),
        ("zzzzzz", "no threat fits\n"),
    ],
)
def test_no_match_ends_with_one(capsys: pytest.CaptureFixture[str], word: str, said: str) -> None:
    """A word that nothing mentions leaves an empty document, a hint on stderr, and exit status 1."""
    assert main(["threats", word, "--format", "json"]) == 1
    shown = capsys.readouterr()
    assert (json.loads(shown.out), said in shown.err) == ([], True)


def test_text_is_grouped(capsys: pytest.CaptureFixture[str]) -> None:
    """Text lists one line for each threat under its detector, without colour where there is no terminal."""
    assert main(["threats"]) == 0
    shown = capsys.readouterr().out
    heads = [line for line in shown.splitlines() if line and not line.startswith(" ")]
    assert heads == [
        "Container Threat Detection (47)",
        "Cloud Run Threat Detection (35)",
        "Event Threat Detection (50)",
        "Virtual Machine Threat Detection (12)",
        "Agent Platform Threat Detection (22)",
    ]
    assert "  LOW       possible   pod        added_binary_executed  Added Binary Executed\n" in shown
    assert len(shown.splitlines()) == 166 + 5 + 4
    assert ESCAPE not in shown


def test_a_single_threat_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    """The only threat that fits is shown with its meaning, where to look, and its runbook."""
    assert main(["threats", "modified_malicious_library_loaded", "--detector", "ctd"]) == 0
    shown = capsys.readouterr().out
    for told in (
        "Execution: Modified Malicious Library Loaded\n",
        "  Image library altered at run time now matches known malware.\n",
        "  techniques  T1105, T1129\n",
        "  look at     processes[].libraries[].{path,sha256}; Added_Library_Fullpath; VirusTotal link\n",
        "  runbook     https://cloud.google.com/security-command-center/docs/",
    ):
        assert told in shown


def test_inferred_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """What Google does not state is never shown as Google's."""
    main(["threats", "added_library_loaded"])
    shown = capsys.readouterr().out
    assert "tactic      TA0002 (inferred)" in shown
    assert "techniques  T1105 (inferred), T1129 (inferred)" in shown


def test_markdown_is_a_single_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Markdown is one table, a row for each threat."""
    assert main(["threats", "--format", "markdown", "--detector", "vmtd"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "| Category | Detector | Threat | Surface | Kind | Confidence | Severity |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    assert len(lines) == 12 + 2
    assert {line.count(" | ") for line in lines} == {6}


def test_on_a_terminal() -> None:
    """On a terminal there is colour, and no line is wider than it."""
    terminal = Terminal("threats", "--detector", "ctd", COLUMNS="80")
    assert terminal.ended() == 0
    assert f"{ESCAPE}31mCRITICAL" in terminal.shown
    assert f"{ESCAPE}2m…" not in terminal.shown
    plain = [_without_colour(line) for line in terminal.shown.splitlines()]
    longest_name = max(len(row.name) for row in catalogue() if row.detector == "container_threat_detection")
    assert max(map(len, plain)) <= max(80, 34 + longest_name)


def test_no_color_is_obeyed_by_threats() -> None:
    """NO_COLOR is obeyed."""
    terminal = Terminal("threats", NO_COLOR="1")
    assert terminal.ended() == 0
    assert ESCAPE not in terminal.shown


def test_the_catalogue_needs_no_folder(tmp_path: Path) -> None:
    """The catalogue is in the package: no policies, settings or folder are needed."""
    terminal = Terminal("threats", "vm_rootkit", cwd=tmp_path, NO_COLOR="1")
    assert terminal.ended() == 0
    assert "Defense Evasion: Rootkit" in terminal.shown


def _without_colour(line: str) -> str:
    head, *rest = line.split(ESCAPE)
    return head + "".join(part.partition("m")[2] for part in rest)


def test_a_copy_of_the_index_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the catalogue lacks is named, and ends with 1; a finding about something else does not count."""
    copy = tmp_path / "index.md"
    known = "| [Reverse Shell](x) | Google Kubernetes Engine | Container Threat Detection |\n"
    copy.write_text(f"{known}| Exfiltration: Data | BigQuery | Event Threat Detection |\n")
    assert main(["threats", "--check", str(copy)]) == 0
    told = capsys.readouterr().out
    assert told.endswith("1 of 1 findings of the index are in the catalogue; 1 are about other resources\n")
    copy.write_text(f"{known}| New\x1b[31m (Preview) | Cloud Run | Cloud Run Threat Detection |\n")
    assert main(["threats", "--check", str(copy)]) == 1
    told = capsys.readouterr().out
    assert told.startswith("missing  cloud_run_threat_detection  New\\u001b[31m  (Cloud Run)\n")


def test_the_index_is_compared_as_a_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page without the table, a file that is not there, and a filter beside it end with 2."""
    (tmp_path / "other.html").write_text("<p>Nothing</p>")
    assert "other.html: no table of findings" in refused(capsys, "--check", str(tmp_path / "other.html"))
    assert "No such file" in refused(capsys, "--check", str(tmp_path / "absent"))
    assert "leave words, filters" in refused(capsys, "--check", str(tmp_path / "other.html"), "--detector", "ctd")
