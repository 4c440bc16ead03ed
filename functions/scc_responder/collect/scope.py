"""What the deployment believes and acts on at all, checked before any connection is made or token fetched. Pure."""

from __future__ import annotations

from scc_responder.domain.finding import Finding
from scc_responder.settings import Settings


def out_of_reach(finding: Finding, settings: Settings) -> str | None:
    """`source_not_allowed` or `cluster_not_listed`, or None.

    A source is known by its numeric id: anyone who may create findings can choose a display name.
    """
    if finding.source_id not in settings.sources:
        return "source_not_allowed"
    cluster = finding.cluster
    if cluster and not any(covers(pattern, cluster.path) for pattern in settings.clusters):
        return "cluster_not_listed"
    return None


def covers(pattern: str, path: str) -> bool:
    """Whether the path is the pattern's, segment by segment; `*` stands for one whole segment."""
    wanted, parts = pattern.split("/"), path.split("/")
    return len(wanted) == len(parts) and all(one in {"*", other} for one, other in zip(wanted, parts, strict=True))
