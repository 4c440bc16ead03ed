"""Probes of what is read outside clusters: findings and what sends them, Cloud Logging, and the registry of images."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any

from scc_responder.settings import Settings
from scc_responder.workbench.doctor.check import Check, skipped
from scc_responder.workbench.doctor.collector_checks import examine_exclusion, examine_images
from scc_responder.workbench.doctor.google_checks import examine_config, examine_logs, examine_source
from scc_responder.workbench.needed_permissions import Need

SourceProbe = tuple[str, str, Callable[[], Check]]
"""The name of a check, what is probed, and what asks."""


def finding_probes(services: Any, settings: Settings, scope: str) -> Iterator[SourceProbe]:
    """What is asked of Security Command Center: each source of `scope`, and what sends findings."""
    if settings.findings:
        why = "findings are read from a folder"
        told = skipped("findings.list", settings.findings, "local_findings", why)
        yield told.name, told.probed, lambda: told
        return
    for source in settings.sources:
        yield "findings.list", source, partial(examine_source, services.findings, scope, source)
    if made := settings.notification_config:
        yield "findings.config", made.name, partial(examine_config, services.security_center, made)


def source_probes(
    services: Any,
    settings: Settings,
    projects: Sequence[str],
    needs: Sequence[Need],
    run_projects: Collection[str] = (),
) -> Iterator[SourceProbe]:
    """What is asked of Google for this deployment; nothing that no policy and no setting wants.

    `services` are its `Services`, whose adapters also answer probes. `projects` are those of its clusters,
    `run_projects` those whose Cloud Run it may read.
    """
    asked = {need.permission.partition(".")[0] for need in needs}
    if services.logs is not None and "logging" in asked:
        for project in sorted({*projects, *run_projects}):
            yield "logs.list", project, partial(examine_logs, services.logs, project)
    yield from _exclusions(settings, projects)
    if services.registry is not None and "artifactregistry" in asked:
        for repository in settings.image_repositories:
            yield "images.read", repository, partial(examine_images, services.registry, repository)


def _exclusions(settings: Settings, projects: Sequence[str]) -> Iterator[SourceProbe]:
    """Where a collector is put in: whether its log stays out of Cloud Logging."""
    if not settings.collector or (settings.clusters_file and not settings.logging_endpoint):
        return
    # Imported where it is asked for, as every client of Google's.
    from scc_responder.adapters.google.log_sinks import GoogleLogSinks  # noqa: PLC0415

    sinks = GoogleLogSinks(endpoint=settings.logging_endpoint)
    for project in projects:
        yield "logs.exclusion", project, partial(examine_exclusion, sinks, project)
