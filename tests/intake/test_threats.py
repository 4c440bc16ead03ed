"""A finding means exactly one threat, known by detector, resource and category, or it is unknown."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.finding import Finding
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import (
    CONFIDENCES,
    UNKNOWN,
    Row,
    catalogue,
    classify,
    fold,
    in_scope,
    mitre_id,
)
from tests.findings import notification

CTD, CRTD = "container_threat_detection", "cloud_run_threat_detection"
ETD, VMTD = "event_threat_detection", "virtual_machine_threat_detection"
APTD = "agent_platform_threat_detection"
DISPLAY = {
    CTD: "Container Threat Detection",
    CRTD: "Cloud Run Threat Detection",
    ETD: "Event Threat Detection",
    VMTD: "Virtual Machine Threat Detection",
    APTD: "Agent Platform Threat Detection",
}


def golden(name: str = "reverse_shell", **finding: Any) -> Finding:
    return parse_notification(notification(name, finding=finding))


def finding_of(row: Row, category: str = "") -> Finding:
    """A finding as the row's detector would send it."""
    base = {"cloud_run": "cloud_run_container_escape", "agent": "agent_anomaly"}.get(row.surface, "reverse_shell")
    return golden(base, category=category or row.category, parentDisplayName=DISPLAY[row.detector], mitreAttack=None)


def beside(finding: Finding, category: str, minutes: float = 5, name: str = "") -> RelatedFinding:
    return RelatedFinding(
        name=name or "organizations/123456789012/sources/1111111111111111111/locations/global/findings/ffff",
        category=category,
        event_time=finding.event_time + timedelta(minutes=minutes),
    )


def test_the_catalogue_holds_every_published_category() -> None:
    """166 rows: what the five detectors may say about GKE, Cloud Run and AI agents."""
    counts = {detector: sum(row.detector == detector for row in catalogue()) for detector in DISPLAY}
    assert counts == {CTD: 47, CRTD: 35, ETD: 50, VMTD: 12, APTD: 22}


def test_the_detectors_share_thirty_four_categories() -> None:
    """Category alone decides nothing."""
    ours = {detector: {row.category for row in catalogue() if row.detector == detector} for detector in (CTD, CRTD)}
    assert len(ours[CTD] & ours[CRTD]) == 34


@pytest.mark.parametrize("row", catalogue(), ids=lambda row: row.name)
def test_every_row_is_found_by_its_own_finding(row: Row) -> None:
    """Each category of each detector leads to its row, in any case and spacing, and by any alias."""
    for spelling in (row.category, row.category.upper(), f"  {row.category.replace(' ', '   ')} ", *row.aliases):
        threat = classify(finding_of(row, spelling))
        assert (threat.name, threat.detector, threat.surface) == (row.name, row.detector, row.surface)


@pytest.mark.parametrize("row", catalogue(), ids=lambda row: row.name)
def test_every_name_follows_from_the_rule_id_or_category(row: Row) -> None:
    """A policy's author can work a threat's name out. Where no rule id is published, it is as in GKE."""
    words = row.category.partition(": ")[2].lower().replace("-", " ").replace("(", "").replace(")", "").split()
    twins = (other.name for other in catalogue() if (other.detector, other.category) == (CTD, row.category))
    expected = row.rule_id.lower() or f"agent_engine_{next(twins, '')}"
    assert row.name == ("vm_" + "_".join(words) if row.detector == VMTD else expected)


@pytest.mark.parametrize("row", catalogue(), ids=lambda row: row.name)
def test_confidence_follows_from_kind_and_severity(row: Row) -> None:
    """Threat intelligence is confirmed, hygiene is possible, what Google rates medium or higher is likely."""
    spellings = set(map(fold, (row.category, *row.aliases)))
    twins = (other for other in catalogue() if other.detector == CTD and fold(other.category) in spellings)
    twin = next((other.severity for other in twins), "")
    severity = row.severity or (twin if row.detector in {CRTD, APTD} else "")
    behavioral = "possible" if severity in {"LOW", ""} else "likely"
    assert row.confidence == ("confirmed" if row.kind == "ioc" else behavioral)


@pytest.mark.parametrize(
    ("name", "threat", "surface", "confidence", "severity"),
    [
        ("added_binary_executed", "added_binary_executed", "pod", "possible", "LOW"),
        ("modified_malicious_library_loaded", "modified_malicious_library_loaded", "pod", "confirmed", "CRITICAL"),
        ("launch_code_compiler_tool_in_container", "launch_code_compiler_tool_in_container", "pod", "possible", "LOW"),
        ("cloud_run_container_escape", "cloud_run_container_escape", "cloud_run", "confirmed", "HIGH"),
        ("reverse_shell", "reverse_shell", "pod", "likely", "CRITICAL"),
        ("v1_shape", "reverse_shell", "pod", "likely", "CRITICAL"),
        ("no_severity", "reverse_shell", "pod", "likely", "CRITICAL"),
        ("unknown_category", UNKNOWN, "pod", "possible", "CRITICAL"),
        ("affected_resource_pod", "gke_control_plane_launch_privileged_container", "pod", "possible", "LOW"),
    ],
)
def test_goldens_are_classified(name: str, threat: str, surface: str, confidence: str, severity: str) -> None:
    """The runbooks' findings mean what the runbooks say."""
    found = classify(golden(name))
    assert (found.name, found.surface, found.confidence, found.severity) == (threat, surface, confidence, severity)


@pytest.mark.parametrize(
    ("base", "changes", "threat"),
    [
        pytest.param("reverse_shell", {"parentDisplayName": ""}, "reverse_shell", id="no detector, a cluster"),
        pytest.param(
            "cloud_run_container_escape",
            {"parentDisplayName": ""},
            "cloud_run_container_escape",
            id="no detector, Cloud Run",
        ),
        pytest.param("reverse_shell", {"parentDisplayName": "Acme Scanner"}, UNKNOWN, id="a custom source"),
        pytest.param(
            "reverse_shell", {"parentDisplayName": DISPLAY[CRTD]}, UNKNOWN, id="Cloud Run's detector, a cluster"
        ),
        pytest.param(
            "cloud_run_container_escape", {"parentDisplayName": DISPLAY[CTD]}, UNKNOWN, id="GKE's detector, Cloud Run"
        ),
        pytest.param("reverse_shell", {"parentDisplayName": DISPLAY[ETD]}, UNKNOWN, id="another detector's category"),
        pytest.param("reverse_shell", {"category": ""}, UNKNOWN, id="no category"),
        pytest.param("reverse_shell", {"category": "REVERSE_SHELL"}, UNKNOWN, id="a rule id for a category"),
        pytest.param(
            "affected_resource_pod",
            {"category": "Privilege Escalation: Renamed"},
            "gke_control_plane_launch_privileged_container",
            id="renamed, known by its rule",
        ),
        pytest.param(
            "affected_resource_pod",
            {"category": "Privilege Escalation: Renamed", "parentDisplayName": DISPLAY[CTD]},
            UNKNOWN,
            id="the rule of another detector",
        ),
    ],
)
def test_detector_and_resource_decide_before_the_category(base: str, changes: dict[str, Any], threat: str) -> None:
    """`Execution: Container Escape` on Cloud Run runs no policy for pods; a false detector is unknown."""
    assert classify(golden(base, **changes)).name == threat


def test_what_the_finding_says_wins_over_the_table() -> None:
    """Severity and MITRE data are the source's own, where it gives them."""
    attack = {"primaryTactic": "PERSISTENCE", "primaryTechniques": ["ESCAPE_TO_HOST", "BRAND_NEW_TECHNIQUE"]}
    threat = classify(golden(severity="MEDIUM", mitreAttack=attack))
    assert (threat.severity, threat.tactic) == ("MEDIUM", "TA0003")
    assert (threat.techniques, threat.techniques_inferred) == (("T1611", "BRAND_NEW_TECHNIQUE"), ())


def test_where_the_finding_is_silent_inferred_techniques_are_kept_apart() -> None:
    """What the catalogue adds is never shown as Google's."""
    threat = classify(golden(severity=None, mitreAttack=None))
    assert (threat.severity, threat.tactic) == ("CRITICAL", "TA0002")
    assert (threat.techniques, threat.techniques_inferred) == ((), ("T1059", "T1105"))


@pytest.mark.parametrize(
    ("base", "category", "minutes", "confidence"),
    [
        pytest.param("added_binary_executed", "Reverse Shell", 5, "likely", id="hygiene beside an attack"),
        pytest.param("added_binary_executed", "Added Library Loaded", -5, "likely", id="hygiene twice"),
        pytest.param(
            "added_binary_executed", "Execution: Added Malicious Binary Executed", 5, "confirmed", id="beside malware"
        ),
        pytest.param(
            "reverse_shell", "Execution: Container Escape", 59, "confirmed", id="an attack beside a known tool"
        ),
        pytest.param("reverse_shell", "Unexpected Child Shell", 5, "likely", id="two attacks are no proof"),
        pytest.param("added_binary_executed", "Reverse Shell", 61, "possible", id="too late"),
        pytest.param("added_binary_executed", "Reverse Shell", -61, "possible", id="too early"),
        pytest.param("added_binary_executed", "OVER_PRIVILEGED_ACCOUNT", 5, "possible", id="no threat"),
        pytest.param(
            "modified_malicious_library_loaded", "Reverse Shell", 5, "confirmed", id="no higher than confirmed"
        ),
    ],
)
def test_company_raises_confidence(base: str, category: str, minutes: float, confidence: str) -> None:
    """As the runbooks ask, other findings on the container near in time turn bad practice into an attack."""
    finding = golden(base)
    assert classify(finding, [beside(finding, category, minutes)]).confidence == confidence


def test_a_finding_is_no_company_for_itself() -> None:
    """The same finding under its canonical name raises nothing."""
    finding = golden("added_binary_executed")
    itself = beside(finding, "Reverse Shell", name=finding.canonical_name)
    assert (classify(finding, [itself]).confidence, classify(finding, [itself]).raised_by) == ("possible", ())


def test_what_raised_the_confidence_is_named() -> None:
    """The record says why a hygiene finding was taken for an attack."""
    finding = golden("added_binary_executed")
    other = beside(finding, "Reverse Shell")
    assert classify(finding, [other]).raised_by == (other.name,)


def test_an_unknown_threat_is_not_raised() -> None:
    """No company makes the unknown known."""
    finding = golden("unknown_category")
    assert classify(finding, [beside(finding, "Reverse Shell")]).confidence == "possible"


@given(
    st.text(max_size=40),
    st.sampled_from([*DISPLAY.values(), "", "Acme"]),
    st.sampled_from([row.category for row in catalogue()]),
)
def test_any_category_of_any_detector_is_classified(noise: str, display: str, category: str) -> None:
    """There is always exactly one threat, from the catalogue or unknown."""
    names = {row.name for row in catalogue()} | {UNKNOWN}
    for text in (noise, category, category + noise):
        threat = classify(golden(category=text, parentDisplayName=display))
        assert threat.name in names
        assert threat.confidence in CONFIDENCES


@pytest.mark.parametrize(
    ("base", "changes", "reason"),
    [
        pytest.param("reverse_shell", {}, None, id="an active threat"),
        pytest.param("v1_shape", {"findingClass": None}, None, id="old v1 without class"),
        pytest.param(
            "v1_shape", {"findingClass": None, "parentDisplayName": "Acme"}, "not_a_threat", id="nobody's class"
        ),
        pytest.param("misconfiguration", {}, "not_a_threat", id="misconfiguration"),
        pytest.param("reverse_shell", {"findingClass": "VULNERABILITY"}, "not_a_threat", id="vulnerability"),
        pytest.param("reverse_shell", {"findingClass": "SCC_ERROR"}, "not_a_threat", id="error of SCC"),
        pytest.param("reverse_shell", {"findingClass": "TOXIC_COMBINATION"}, "not_a_threat", id="toxic combination"),
        pytest.param("reverse_shell", {"findingClass": "BRAND_NEW"}, "not_a_threat", id="unknown class"),
        pytest.param("muted", {}, "muted", id="muted"),
        pytest.param("muted", {"mute": "UNMUTED"}, None, id="unmuted"),
        pytest.param("inactive", {}, "inactive", id="inactive"),
        pytest.param("reverse_shell", {"state": None}, "inactive", id="no state"),
        pytest.param("inactive", {"mute": "MUTED"}, "inactive", id="inactive and muted"),
    ],
)
def test_what_is_not_to_be_acted_on_has_a_named_reason(base: str, changes: dict[str, Any], reason: str | None) -> None:
    """Non-threats, muted and inactive findings are settled without a call to any cluster."""
    assert in_scope(golden(base, **changes)) == reason


def test_technique_names_become_mitre_ids() -> None:
    """Enum names of the wire are translated; newer ones pass through."""
    assert [mitre_id(name) for name in ("COMPILE_AFTER_DELIVERY", "EXECUTION", "NEWER")] == [
        "T1027.004",
        "TA0002",
        "NEWER",
    ]


def test_the_catalogue_loads_in_under_five_milliseconds() -> None:
    """A cold start does not notice it."""
    spent = []
    for _ in range(5):
        catalogue.cache_clear()
        started = time.process_time()
        catalogue()
        spent.append(time.process_time() - started)
    assert min(spent) < 0.005
