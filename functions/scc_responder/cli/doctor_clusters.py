"""Which clusters there are to probe: those that settings name, and those that GKE lists for their patterns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from scc_responder.checkup import check
from scc_responder.checkup.check import Check
from scc_responder.checkup.cluster import listed
from scc_responder.checkup.side_by_side import side_by_side
from scc_responder.errors import ApiError
from scc_responder.finding import ClusterRef
from scc_responder.glob import matches
from scc_responder.scope import covers
from scc_responder.settings import Settings
from scc_responder.value import Value

_NAME = "cluster.listed"
_BY_NAME = "scc-responder doctor --cluster projects/P/locations/L/clusters/C"


class Found(Value, frozen=True, kw_only=True):
    """The clusters, and what kept others from being found."""

    refs: tuple[ClusterRef, ...] = ()
    checks: tuple[Check, ...] = ()


def find_clusters(settings: Settings, clusters: Any, wanted: str, seconds: float) -> Found:
    """The clusters to probe; of them those that `wanted` names, where it is given."""
    exact = ClusterRef.parse(wanted)
    if exact is not None:
        unlisted = listed(settings.clusters, exact.path, covers)
        return Found(checks=(unlisted,)) if unlisted else Found(refs=(exact,))
    found = _local(settings, clusters) if settings.clusters_file else _of_patterns(settings, seconds)
    chosen = tuple(ref for ref in found.refs if not wanted or matches(wanted, ref.path) or matches(wanted, ref.name))
    if chosen or found.checks:
        return Found(refs=chosen, checks=found.checks)
    why = "no cluster of settings is named so" if wanted else "the patterns of settings find no cluster"
    told = wanted or ", ".join(settings.clusters)
    mend = "Terraform variable clusters; gcloud container clusters list --project=PROJECT"
    return Found(checks=(check.fault(_NAME, told, "no_cluster_found", why, mend),))


def _local(settings: Settings, clusters: Any) -> Found:
    refs, checks = [], []
    for ref in clusters.refs:
        unlisted = listed(settings.clusters, ref.path, covers)
        refs += [] if unlisted else [ref]
        checks += [unlisted] if unlisted else []
    return Found(refs=tuple(refs), checks=tuple(checks))


def _of_patterns(settings: Settings, seconds: float) -> Found:
    from scc_responder.adapters.gke_listing import GkeListing  # noqa: PLC0415 - local clusters need no GKE

    listing = GkeListing(endpoint=settings.gke_endpoint)
    plain = [ref for pattern in settings.clusters if (ref := ClusterRef.parse(pattern))]
    wild = [pattern for pattern in settings.clusters if ClusterRef.parse(pattern) is None]
    places = [pattern.split("/")[1:4:2] for pattern in wild]
    asked = [index for index, (project, _) in enumerate(places) if project != "*"]
    jobs: list[Callable[[], Sequence[ClusterRef]]] = [partial(listing.clusters, *places[index]) for index in asked]
    refs, checks = dict.fromkeys(plain), [_anywhere(wild[i]) for i, (project, _) in enumerate(places) if project == "*"]
    for answer in side_by_side(jobs, seconds):
        pattern = wild[asked[answer.number]]
        if answer.value is None:
            checks.append(_unlisted(pattern, answer.error, seconds))
        refs |= dict.fromkeys(ref for ref in answer.value or () if covers(pattern, ref.path))
    return Found(refs=tuple(refs), checks=tuple(checks))


def _anywhere(pattern: str) -> Check:
    why = "clusters are listed by project, and this pattern names none"
    return check.unknown(_NAME, pattern, "project_not_named", why, f"name one: {_BY_NAME}")


def _unlisted(pattern: str, error: Exception | None, seconds: float) -> Check:
    if isinstance(error, ApiError) and error.permission:
        why = f"missing permission: {error.permission}, which the function itself does not need"
        return check.unknown(_NAME, pattern, check.MISSING_PERMISSION, why, f"name one: {_BY_NAME}")
    return check.unanswered(_NAME, pattern, error, seconds)
