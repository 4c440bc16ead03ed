"""What is known of a recorded finding's target: from a snapshot, else from a file beside it, else as it tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from scc_responder.adapters.local.findings_export import ExportedFinding
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import ClusterRef, Finding
from scc_responder.workbench.cluster_snapshot import Snapshot, read_snapshot
from scc_responder.workbench.explanation import NOTHING_READ, ContextFacts, read_facts
from scc_responder.workbench.sample_findings import facts_as_told

MOST_NAMED = 50
"""Findings may name any number of clusters: more than these are counted as others."""

OTHERS = "others"


class TargetFacts:
    """Where facts come from. `unseen` counts the findings about clusters without a snapshot, if there are any."""

    def __init__(self, snapshots: Iterable[Path], *, assume_present: bool) -> None:
        """Read the snapshots. Raises SettingsError for one that cannot be used, or is of a cluster that has one."""
        self._snapshots: dict[ClusterRef, Snapshot] = {}
        for path in snapshots:
            snapshot = read_snapshot(path)
            if snapshot.cluster.ref in self._snapshots:
                raise SettingsError(
                    "two_snapshots", f"{path}: another snapshot is of {snapshot.cluster.ref.path} too; give one of them"
                )
            self._snapshots[snapshot.cluster.ref] = snapshot
        self._assume_present = assume_present
        self.unseen: Counter[str] = Counter()

    def of(self, entry: ExportedFinding, finding: Finding) -> ContextFacts:
        """The facts. Raises PolicyError for a file beside the finding that is none of facts."""
        if finding.cluster is not None and self._snapshots:
            snapshot = self._snapshots.get(finding.cluster)
            if snapshot is not None:
                return snapshot.facts(finding)
            path = finding.cluster.path
            self.unseen[path if path in self.unseen or len(self.unseen) < MOST_NAMED else OTHERS] += 1
        if entry.facts is not None:
            return read_facts(entry.facts, entry.where)
        return facts_as_told(finding, looked_around=False) if self._assume_present else NOTHING_READ
