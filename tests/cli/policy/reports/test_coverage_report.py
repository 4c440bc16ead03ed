"""Which threats policies cover, as text, Markdown and JSON."""

from __future__ import annotations

import json

from scc_responder.cli.policy.reports import coverage_report
from scc_responder.intake.threats import catalogue
from scc_responder.workbench.policies.threat_coverage import Coverage


def test_totals_add_up(found: Coverage) -> None:
    """Each threat is covered, or has one gap."""
    totals = coverage_report.totals(found)
    assert totals["threats"] == len(catalogue()) == sum(n for name, n in totals.items() if name != "threats")
    assert coverage_report.coverage_summary(found).endswith("policies that match no threat: 1")


def test_text_lists_each_threat_with_its_policies(found: Coverage) -> None:
    """Under its detector; unknown threats and idle policies come last."""
    text = coverage_report.coverage_text(found)
    assert all(row.name in text for row in catalogue())
    assert "pods (enforce): isolate_pod, notify" in text
    assert "only some: node_pool" in text
    assert text.index("Threats that the catalogue does not know") < text.index("Policies that match no threat")


def test_markdown_has_a_table_for_each_detector(found: Coverage) -> None:
    """A row for each threat."""
    text = coverage_report.coverage_markdown(found)
    assert sum(line.startswith("| [") for line in text.splitlines()) == len(catalogue())
    assert "**pods** (enforce)" in text
    assert "- idle" in text


def test_json_has_every_threat(found: Coverage) -> None:
    """With its gap, its tier and its policies."""
    document = json.loads(coverage_report.coverage_json(found))
    assert [threat["threat"] for threat in document["threats"]] == [row.name for row in catalogue()]
    assert (document["totals"], document["idle_policies"]) == (coverage_report.totals(found), ["idle"])
