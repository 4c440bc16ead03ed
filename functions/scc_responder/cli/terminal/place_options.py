"""The options that name a place: one cluster, or one project with its clusters and what it runs on Cloud Run."""

from __future__ import annotations

import argparse
import re
from shlex import quote

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import ClusterRef
from scc_responder.guard.trust.error_budget import ENVIRONMENTS

_PROJECT = re.compile(r"[a-z][a-z0-9.:-]{0,99}", re.ASCII)


def place_options(command: argparse.ArgumentParser, project_help: str) -> argparse._MutuallyExclusiveGroup:
    """Declare `--cluster` and `--project`, of which one may be given; others that exclude them may join."""
    place = command.add_mutually_exclusive_group()
    place.add_argument("--cluster", default="", metavar="PATH", help="projects/P/locations/L/clusters/C alone")
    place.add_argument("--project", default="", metavar="ID", help=project_help)
    return place


def place_of(options: argparse.Namespace) -> str:
    """The path of the place: a cluster's, or `projects/P`; empty for all. Raises SettingsError."""
    if options.cluster and not is_cluster(options.cluster):
        raise SettingsError("invalid_cluster", f"--cluster {options.cluster}: give projects/P/locations/L/clusters/C")
    if options.project and not _PROJECT.fullmatch(options.project):
        raise SettingsError("invalid_project", f"--project {options.project}: give a project's id, as findings name it")
    return options.cluster or (f"projects/{options.project}" if options.project else "")


def place_text(place: str) -> str:
    """The option that names a place, or an environment of the guardrails."""
    if place.startswith(ENVIRONMENTS):
        return f"--environment {quote(place.removeprefix(ENVIRONMENTS))}"
    project = place.removeprefix("projects/")
    return f"--cluster {quote(place)}" if "/" in project else f"--project {quote(project)}"


def is_cluster(path: str) -> bool:
    """Whether it is a cluster's path as stored documents know it."""
    cluster = ClusterRef.parse(path)
    return cluster is not None and cluster.path == path
