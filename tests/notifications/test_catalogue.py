"""The catalogue: what every row must have, and spot checks against what Google publishes."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from scc_responder.cli.threats import SHORT
from scc_responder.intake.threats import Row, catalogue, mitre_id
from tests.findings.synthetic import synthetic

CTD, CRTD = "container_threat_detection", "cloud_run_threat_detection"
ETD, VMTD = "event_threat_detection", "virtual_machine_threat_detection"
APTD = "agent_platform_threat_detection"
BY_CATEGORY = {(row.detector, row.category): row for row in catalogue()}

# Source: "Container Threat Detection overview", "Cloud Run Threat Detection overview", "Overview of Event Threat
# Detection" and "Detection services", read 2026-04-10, "Agent Platform Threat Detection overview", read 2026-11-30:
# detector, severity, surface, kind, tactic, category.
PUBLISHED = """
CTD  LOW      pod       behavioral TA0002 Added Binary Executed
CTD  -        node      behavioral TA0009 Collection: Pam.d Modification
CTD  CRITICAL pod       behavioral TA0006 Credential Access: GPG Key Reconnaissance
CTD  MEDIUM   pod       behavioral TA0005 Defense Evasion: Base64 ELF File Command Line
CTD  CRITICAL pod       ioc        TA0002 Execution: Container Escape
CRTD HIGH     cloud_run ioc        TA0002 Execution: Container Escape
CTD  HIGH     pod       behavioral TA0002 Execution: Fileless Execution in /memfd:
CTD  CRITICAL pod       behavioral TA0002 Execution: Malicious Python executed
CTD  CRITICAL pod       ioc        TA0002 Execution: Modified Malicious Library Loaded
CTD  -        node      behavioral TA0002 Execution: Suspicious Cron Modification
CTD  LOW      pod       behavioral TA0040 Impact: Remove Bulk Data From Disk
CTD  MEDIUM   pod       ioc        TA0002 Malicious URL Observed
CTD  HIGH     pod       behavioral TA0004 Privilege Escalation: Fileless Execution in /dev/shm
CTD  CRITICAL pod       behavioral TA0002 Reverse Shell
CRTD -        cloud_run behavioral TA0002 Reverse Shell
CRTD CRITICAL cloud_run ioc        TA0002 Execution: Kubernetes Attack Tool Execution
ETD  HIGH     rbac      behavioral TA0004 Privilege Escalation: Create Kubernetes CSR for master cert
ETD  LOW      pod       behavioral TA0004 Privilege Escalation: Launch of privileged Kubernetes container
ETD  MEDIUM   pod       behavioral TA0002 Execution: Suspicious Exec or Attach to a System Pod
ETD  LOW      node      behavioral TA0005 Defense Evasion: Static Pod Created
ETD  HIGH     cluster   ioc        TA0001 Initial Access: Successful API call made from a TOR proxy IP
ETD  HIGH     cloud_run ioc        TA0002 Execution: Cryptomining Docker Image
ETD  LOW      node      ioc        -      Malware: bad IP
VMTD HIGH     node      ioc        TA0005 Defense Evasion: Rootkit
VMTD HIGH     node      behavioral TA0005 Defense Evasion: Unexpected ftrace handler
APTD -        agent     ioc        TA0002 Execution: Added Malicious Binary Executed
APTD -        agent     ioc        TA0002 Malicious URL Observed
APTD -        agent     behavioral TA0011 Command and Control: Steganography Tool Detected
APTD -        agent     behavioral TA0006 Credential Access: Find Google Cloud Credentials
APTD -        agent     behavioral TA0006 Credential Access: GPG Key Reconnaissance
APTD -        agent     behavioral TA0006 Credential Access: Search Private Keys or Passwords
APTD -        agent     behavioral TA0005 Defense Evasion: Base64 ELF File Command Line
APTD -        agent     behavioral TA0005 Defense Evasion: Base64 Encoded Python Script Executed
APTD -        agent     behavioral TA0005 Defense Evasion: Base64 Encoded Shell Script Executed
APTD -        agent     behavioral TA0005 Defense Evasion: Launch Code Compiler Tool In Container
APTD -        agent     behavioral TA0002 Execution: Fileless Execution in /memfd:
ETD  LOW      agent     behavioral TA0006 Credential Access: AI Agent Anomalous Access to Metadata Service
ETD  MEDIUM   agent     behavioral TA0001 Initial Access: AI Agent Identity Excessive Permission Denied Actions
ETD  LOW      agent     behavioral TA0010 Exfiltration: AI Agent Initiated BigQuery Data Extraction
ETD  LOW      agent     behavioral TA0010 Exfiltration: AI Agent Initiated BigQuery VPC Perimeter Violation
ETD  LOW      agent     behavioral TA0004 Privilege Escalation: AI Agent Suspicious Token Generation Using signJwt
"""

# Techniques that Google states, on the finding's page or in real findings; every other one is inferred.
STATED = {
    "added_binary_executed": ("T1105", "T1106"),
    "launch_code_compiler_tool_in_container": ("T1027.004",),
    "modified_malicious_library_loaded": ("T1105", "T1129"),
    "cloud_run_container_escape": ("T1611",),
    "cloud_run_malicious_python_executed": ("T1105",),
    "agent_engine_malicious_url_observed": ("T1105",),
    "binary_authorization_breakglass_workload_create": ("T1548",),
    "gke_control_plane_launch_privileged_container": ("T1548",),
    "gke_service_account_creation_sensitive_namespace": ("T1098",),
}


# Those whose rule ids no source states.
UNPUBLISHED = {
    "vm_malicious_file_on_disk_yara",
    "agent_engine_steganography_tool_detected",
    "agent_engine_find_gcp_credentials",
    "agent_engine_gpg_key_reconnaissance",
    "agent_engine_search_private_keys_or_passwords",
    "agent_engine_base64_elf_file_cmdline",
    "agent_engine_base64_encoded_python_script_executed",
    "agent_engine_base64_encoded_shell_script_executed",
    "agent_engine_launch_code_compiler_tool_in_container",
    "agent_engine_fileless_execution_detection_memfd",
}


@pytest.mark.parametrize("line", PUBLISHED.strip().splitlines(), ids=lambda line: line)
def test_a_row_says_what_is_published(line: str) -> None:
    """Detector, severity, surface, kind, tactic and category are as published; an unpublished severity stays empty."""
    detector, *published, category = line.split(maxsplit=5)
    found = BY_CATEGORY[SHORT[detector.lower()], category]
    assert [found.severity or "-", found.surface, found.kind, found.tactic or "-"] == published


def test_stated_techniques_are_exactly_those_that_google_states() -> None:
    """No inferred technique is passed off as Google's."""
    assert {row.name: row.techniques for row in catalogue() if row.techniques} == STATED


@pytest.mark.parametrize("row", catalogue(), ids=lambda row: row.name)
def test_every_row_has_what_it_needs(row: Row) -> None:
    """A person can look it up, a policy can name it, an analyst knows where to look, and its detector emits it."""
    lacking = {
        "a rule id": row.rule_id or row.name in UNPUBLISHED,
        "a technique": row.techniques or row.techniques_inferred,
        "a tactic": row.tactic or row.category.startswith(("Malware: ", "Log4j Malware: ")),
        "a sentence that says what happened": re.fullmatch(r"\S.{10,110}\.", row.meaning),
        "a word of where to look": re.search(r"processes|files|indicator|access|kubernetes|kernelRootkit", row.fields),
        "a surface of its detector": row.surface in _SURFACES[row.detector],
        "a name of its detector": row.name.startswith(_PREFIXES.get(row.detector, "")),
        "a default only where one is published": not row.default or row.detector == CTD,
    }
    assert [what for what, there in lacking.items() if not there] == []


_SURFACES = {
    CTD: {"pod", "node"},
    CRTD: {"cloud_run"},
    ETD: {"pod", "node", "cluster", "rbac", "cloud_run", "agent"},
    VMTD: {"node"},
    APTD: {"agent"},
}
_PREFIXES = {CRTD: "cloud_run_", VMTD: "vm_", APTD: "agent_engine_"}


def test_the_totals_are_the_published_ones() -> None:
    """As many rows as are published, by what they are about and how sure they are."""
    assert Counter(row.surface for row in catalogue()) == {
        "pod": 53,
        "cloud_run": 38,
        "node": 25,
        "rbac": 14,
        "cluster": 6,
        "agent": 30,
    }
    assert Counter(row.kind for row in catalogue()) == {"behavioral": 125, "ioc": 41}


def test_techniques_of_the_wire_are_known_by_id() -> None:
    """What a finding states about techniques reads like what the catalogue states, so that both can be compared."""
    for row in catalogue():
        attack = synthetic(row)["finding"].get("mitreAttack", {})
        told = [mitre_id(name) for name in (attack.get("primaryTactic", ""), *attack.get("primaryTechniques", ()))]
        assert told == [row.tactic, *row.techniques], row.name
