"""What a report says of a bundle."""

from __future__ import annotations

from scc_responder.workbench.bundle.bundle_report import BundleFault, BundleFinding, BundleReport


def test_one_finding_keeps_a_bundle_from_being_verified() -> None:
    """Whatever it is."""
    found = [BundleFinding(fault=fault, file="f", why="w") for fault in BundleFault]
    reports = [BundleReport(case="c", manifests=(), objects=0, findings=(each,)) for each in found]
    assert [report.is_verified for report in reports] == [False] * len(reports)
    assert BundleReport(case="c", manifests=(), objects=0, findings=()).is_verified
