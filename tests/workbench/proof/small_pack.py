"""A small pack that uses every kind of guardrail and condition, and edits of its files, as people make them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.policy_files.policy_file import load_policies

NOW = datetime(2026, 3, 2, 9, 45, tzinfo=UTC)
"""A Monday morning."""

GUARDRAILS = """\
protected:
  namespaces: [kube-system, kube-public, kube-node-lease, platform]
  workloads: [payments/Deployment/ledger]
  nodes: [gke-prod-1-system-*]
  clusters: [projects/example-prod/locations/*/clusters/control-plane]
  services: [projects/*/locations/*/services/login]
  locations: [us-central1]
  principals: [break-glass@example.com]
ceilings:
  - {name: production, max_mode: approve, clusters: [projects/example-prod/locations/*/clusters/*]}
  - {name: payments, max_mode: dry_run, namespaces: [payments, payments-*]}
  - {name: no-deletion-alone, max_mode: approve, actions: [delete_pod]}
quiet_hours:
  - {name: nights, from: "22:00", to: "06:00", max_mode: dry_run}
exemptions:
  - name: load-test
    when: {namespace: load-test, threat: reverse_shell}
    actions: [isolate_pod, delete_pod]
    expires: 2026-06-30
    owner: platform@example.com
    reason: The load generator unpacks itself at its start.
    ticket: https://tickets.example.com/PLAT-1234
approval: {approvers: [oncall@example.com, lead@example.com], needed: 2}
limits:
  namespace: [{most: 3, within: 10m}]
warm_up: 60s
keep_serving: [shop/Deployment/checkout]
"""
_HEAD = "description: For tests.\nowner: secops@example.com\n"
FILES: Mapping[str, str] = {
    "guardrails.yaml": GUARDRAILS,
    "contain-shell.yaml": f"""\
name: contain-shell
{_HEAD}mode: enforce
when:
  threat: [reverse_shell]
  severity: HIGH
  cluster: projects/example-*/locations/*/clusters/*
unless:
  namespace: [ci, ci-*]
  labels: {{tier: critical}}
then:
  - action: capture_evidence
    on_failure: stop
  - action: isolate_pod
  - action: cordon_node
  - action: delete_pod
    needs: [isolate_pod]
    with: {{grace_period_seconds: 30}}
  - action: notify
limits: [{{most: 3, within: 1h}}]
""",
    "mark-binary.yaml": f"""\
name: mark-binary
{_HEAD}mode: approve
when:
  threat: added_binary_executed
  confidence: [likely, confirmed]
  namespace: team-a-*
  image: registry.example.com/team-a/**
then:
  - action: label_pod
    with: {{labels: {{scc-responder/threat: binary}}}}
  - action: notify
""",
    "mark-library.yaml": f"""\
name: mark-library
{_HEAD}mode: enforce
when:
  threat: added_library_loaded
  workload: Deployment/web-*
  location: europe-west1
  node_pool: pool-1
then:
  - action: label_pod
    with: {{labels: {{scc-responder/threat: library}}}}
  - action: isolate_pod
""",
    "mark-privileged.yaml": f"""\
name: mark-privileged
{_HEAD}mode: dry_run
when:
  threat: gke_control_plane_launch_privileged_container
  project: example-project
  principal: "*@example.com"
then:
  - action: annotate_pod
""",
    "cut-service.yaml": f"""\
name: cut-service
{_HEAD}mode: enforce
when:
  threat: cloud_run_reverse_shell
  service: [shop-*, login]
then:
  - action: capture_evidence
  - action: cut_ingress
""",
}


def written(folder: Path, *edits: tuple[str, str, str], **more: str) -> Path:
    """The pack in a folder, each (file, text, other text) replaced. `more` are whole files, by the name of a policy."""
    folder.mkdir(parents=True)
    texts = dict(FILES)
    for file, text, other in edits:
        assert texts[file].count(text) == 1, (file, text)
        texts[file] = texts[file].replace(text, other)
    texts |= {f"{name.replace('_', '-')}.yaml": text for name, text in more.items()}
    for name, text in texts.items():
        if text:
            (folder / name).write_text(text)
    return folder


def loaded(folder: Path, *edits: tuple[str, str, str], **more: str) -> PolicySet:
    """As `written`, loaded."""
    return load_policies(written(folder, *edits, **more))
