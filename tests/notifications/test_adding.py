"""Adding a category is one row: it is classified, listed, and has a golden. What else is needed is named here."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from scc_responder.domain.finding import Finding
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import DETECTORS, SURFACES, Row, catalogue, classify
from scc_responder.workbench.deployment.catalogue_check import read_catalogue
from tests.findings import FOLDER, data
from tests.findings import generate as generator
from tests.findings.synthetic import samples, synthetic, twin_of

SUPPLY = f"""
A threat without a golden. A new category is one row in functions/scc_responder/intake/threats.json.
What else to supply:
  - what its notification shows, as one entry of tests/findings/samples.yaml (a plain one is made without it)
  - its golden, context, decision and line of policies/THREATS.md: {generator.COMMAND}
  - a policy in policies/ and its test, if anything is to be done about it: until then it is recorded
"""

ROWS = {
    "a pod's": Row(
        name="brand_new_attack",
        category="Execution: Brand New Attack",
        detector="container_threat_detection",
        rule_id="BRAND_NEW_ATTACK",
        severity="HIGH",
        surface="pod",
        kind="behavioral",
        confidence="likely",
        tactic="TA0002",
        techniques=("T1611",),
        meaning="Something that no catalogue knew.",
        fields="processes[].{binary.path,args}; connections[]",
        runbook="https://cloud.google.com/security-command-center/docs/findings/threats/brand-new-attack",
    ),
    "a twin in Cloud Run": Row(
        name="cloud_run_added_binary_executed",
        category="Added Binary Executed",
        detector="cloud_run_threat_detection",
        rule_id="CLOUD_RUN_ADDED_BINARY_EXECUTED",
        surface="cloud_run",
        kind="behavioral",
        confidence="possible",
        meaning="Ran a binary that the image did not ship.",
        fields="processes[].binary.{path,sha256}, args; VirusTotal link",
        runbook="https://cloud.google.com/security-command-center/docs/findings/threats/added-binary-executed",
    ),
    "an event's, known by its rule": Row(
        name="gke_brand_new_rule",
        category="Persistence: Brand New Rule",
        detector="event_threat_detection",
        rule_id="GKE_BRAND_NEW_RULE",
        severity="LOW",
        surface="rbac",
        kind="behavioral",
        confidence="possible",
        meaning="A call of the Kubernetes API that no catalogue knew.",
        fields="kubernetes.bindings[]; access.{principalEmail,callerIp,methodName}",
        runbook="https://cloud.google.com/security-command-center/docs/findings/threats/brand-new-rule",
    ),
    "a node's": Row(
        name="vm_brand_new_rootkit",
        category="Defense Evasion: Brand New Rootkit",
        detector="virtual_machine_threat_detection",
        surface="node",
        kind="ioc",
        confidence="confirmed",
        meaning="A rootkit that no catalogue knew.",
        fields="kernelRootkit.name",
        runbook="https://cloud.google.com/security-command-center/docs/findings/threats/brand-new-rootkit",
    ),
}


def with_row(row: Row) -> tuple[Row, ...]:
    """A copy of the catalogue's file with one row more, read as the product reads it."""
    return read_catalogue(msgspec.json.encode([*catalogue(), row]))


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_one_row_is_enough(row: Row) -> None:
    """A finding that was unknown is its threat once the row is there, with all that the row says."""
    finding = parse_notification(synthetic(row))

    assert classify(finding).name == "unknown"
    threat = classify(finding, rows=with_row(row))

    assert (threat.name, threat.detector, threat.surface) == (row.name, row.detector, row.surface)
    assert (threat.kind, threat.confidence, threat.runbook) == (row.kind, row.confidence, row.runbook)
    assert finding.contradictions == ()


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_moves_no_other(row: Row) -> None:
    """Every other finding means what it meant."""
    more = with_row(row)
    found = {other.name: parse_notification(synthetic(other)) for other in catalogue()}
    assert [classify(finding, rows=more).name for finding in found.values()] == list(found)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_generator_supplies_the_rest(row: Row) -> None:
    """Golden, context, decision and line of the table come from the row alone."""
    before, after = generator.generated(), generator.generated((*catalogue(), row))
    folder = FOLDER / "catalogue" / row.detector
    files = {folder / f"{row.name}{suffix}" for suffix in (".json", ".context.json", ".decision.json")}
    assert set(after) - set(before) == files, SUPPLY
    assert f"`{row.name}`" in after[generator.TABLE]


def test_every_row_is_supplied() -> None:
    """Each threat of the catalogue has its golden, context and decision, and a sample of its own."""

    def lacking(row: Row) -> bool:
        path = FOLDER / "catalogue" / row.detector / row.name
        files = [path.with_suffix(suffix) for suffix in (".json", ".context.json", ".decision.json")]
        return not {row.name, twin_of(row)} & samples().keys() or not all(file.exists() for file in files)

    assert [row.name for row in catalogue() if lacking(row)] == [], SUPPLY


def test_no_sample_is_left_over() -> None:
    """A sample of a threat that is gone is an error: perhaps its row was renamed."""
    known = {name for row in catalogue() for name in (row.name, twin_of(row))}
    assert set(samples()) - known == set()


def test_a_golden_of_a_new_row_is_bytes_that_can_be_published() -> None:
    """What is generated for a row without a sample can be pushed as it is."""
    finding = parse_notification(data(synthetic(ROWS["a pod's"])))
    assert isinstance(finding, Finding)
    assert (finding.processes[0].binary, finding.connections[0].destination_port) == ("/tmp/unknown", 443)


def test_detectors_and_surfaces_are_all_used() -> None:
    """No word of the catalogue's vocabulary is without a row."""
    assert {row.detector for row in catalogue()} == set(DETECTORS)
    assert {row.surface for row in catalogue()} == set(SURFACES)


def test_the_golden_folder_has_no_stranger() -> None:
    """Every file below `catalogue/` belongs to a row."""
    rows = {(row.detector, row.name) for row in catalogue()}
    files = (path for path in Path(FOLDER / "catalogue").rglob("*.json"))
    assert {(path.parent.name, path.name.partition(".")[0]) for path in files} == rows
