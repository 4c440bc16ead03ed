"""Probes of Cloud Run, where this deployment reads or changes it: by project what reads, by service what changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any

from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.permissions import RUN_OPERATION
from scc_responder.settings import Settings
from scc_responder.workbench.doctor.check import Check
from scc_responder.workbench.doctor.google_checks import examine_metrics
from scc_responder.workbench.doctor.run_checks import (
    RunPlace,
    examine_operations,
    examine_reads,
    examine_writer,
    examine_writes,
    unnamed_service,
)
from scc_responder.workbench.needed_permissions import Need
from scc_responder.workbench.variable_permissions import RUN_READS, RUN_WRITES, by_variable

RunProbe = tuple[str, str, Callable[[], Sequence[Check]]]
"""The name of a check, what is probed, and what asks."""


def run_probes(
    services: Any,
    settings: Settings,
    projects: Collection[str],
    named: Collection[str],
    needs: Sequence[Need],
    *,
    identity: str = "",
) -> Iterator[RunProbe]:
    """What is asked of Cloud Run; nothing where no setting and nobody names anything of it.

    `services` are the deployment's `Services`. `projects` are those that it may read, `named` are paths of services and
    jobs that whoever asks names. `identity` is the function's own.
    """
    patterns = [*settings.services, *named]
    api = services.run if patterns or projects else None
    if api is None:
        return
    asked = {name: {need.permission for need in found} for name, found in by_variable(needs).items()}
    places = _places(settings, projects, patterns)
    for place in places:
        yield "run.read", place.project, partial(_listed, partial(examine_reads, api, place, asked[RUN_READS]))
        if services.metrics is not None:
            counted = partial(examine_metrics, services.metrics, place.project, services.clock)
            yield "metrics.list", place.project, partial(lambda ask: [ask()], counted)
    if settings.run_writer and asked[RUN_WRITES]:
        if services.run_writer is not None:
            ask = partial(examine_writer, services.run_writer, settings.run_writer, identity)
            yield "run.writer", settings.run_writer, lambda: [ask()]
        yield from _writes(services, settings, patterns, asked[RUN_WRITES])


def _writes(
    services: Any, settings: Settings, patterns: Sequence[str], permissions: Collection[str]
) -> Iterator[RunProbe]:
    api, writer = services.run, settings.run_writer
    for pattern in dict.fromkeys(patterns):
        name = RunName.parse(pattern)
        if name is None:
            yield "run.write", pattern, partial(lambda each: [unnamed_service(each)], pattern)
        else:
            yield "run.write", pattern, partial(_listed, partial(examine_writes, api, name, permissions, writer))
    for place in _places(settings, (), patterns):
        if place.location and RUN_OPERATION in permissions:
            yield "run.write", place.project, partial(lambda each: [examine_operations(api, each)], place)


def _places(settings: Settings, projects: Collection[str], patterns: Sequence[str]) -> list[RunPlace]:
    """Each project that is named once, with a location of its own, or else that of our own service."""
    own = settings.own_service.split("/")[3] if settings.own_service else ""
    locations = dict.fromkeys(sorted(projects), "")
    for pattern in patterns:
        project, location = pattern.split("/")[1:4:2]
        if project != "*":
            locations[project] = locations.get(project) or location.replace("*", "")
    return [RunPlace(project=project, location=location or own) for project, location in locations.items()]


def _listed(ask: Callable[[], Iterator[Check]]) -> Sequence[Check]:
    return list(ask())
