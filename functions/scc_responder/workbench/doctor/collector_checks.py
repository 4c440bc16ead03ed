"""Whether what the collector writes stays out of Cloud Logging, and whether images are told of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from shlex import quote
from typing import Protocol

from scc_responder.collect.image_names import OLD_HOSTS
from scc_responder.domain.errors import ApiError
from scc_responder.domain.ports import ImageRegistry
from scc_responder.workbench.doctor.check import (
    MISSING_PERMISSION,
    OR,
    REACH,
    Check,
    fault,
    ok,
    permission_of,
    probe_failed,
    unknown,
)

EXCLUSION_FILTER = 'resource.type="k8s_container" AND resource.labels.container_name=~"^scc-responder-"'
"""What the module excludes: the log of every container that is ours."""

_ABSENT_IMAGE, _ABSENT_DIGEST = "scc-responder-probe", f"sha256:{'0' * 64}"
_NOT_FOUND = 404
_NAME = "logs.exclusion"
_OURS = "scc-responder"
_CLAUSE = (
    r'(?:resource\.type\s*=\s*(?:k8s_container\b|"k8s_container")'
    r'|resource\.labels\."?container_name"?\s*(?:=~\s*"\^?scc-responder-"|:\s*"?scc-responder-?"?(?![\w-])))'
)
_COVERS = re.compile(rf"\s*{_CLAUSE}(?:\s+(?:AND\s+)?{_CLAUSE})*\s*", re.ASCII)
"""Clauses that all hold for an entry of any container of ours."""


class LogSinks(Protocol):
    """Where entries of a project go."""

    def exclusions(self, project: str) -> Mapping[str, str] | None:
        """Filters by the names of exclusions in the sink `_Default`; None: the sink is off. Raises ApiError."""


def examine_images(images: ImageRegistry, repository: str) -> Check:
    """One repository that settings list: whether the function may ask how its images were made.

    It is asked for an image that nobody has: that it is not there shows that it may be read.
    """
    name = "images.read"
    host, place = repository_place(repository)
    try:
        images.image(host, f"{place}/{_ABSENT_IMAGE}", _ABSENT_DIGEST, "")
    except ApiError as error:
        if error.status != _NOT_FOUND:
            return probe_failed(name, repository, error, _reader(repository) if permission_of(error) else REACH)
    return ok(name, repository, "artifactregistry.repositories.downloadArtifacts")


def _reader(repository: str) -> str:
    _, project, _, location, _, name = map(quote, repository.split("/"))
    command = (
        f"gcloud artifacts repositories add-iam-policy-binding {name} --project={project} --location={location}"
        " --member=serviceAccount:IDENTITY --role=roles/artifactregistry.reader"
    )
    return f"Terraform variable image_repositories{OR}{command}"


def examine_exclusion(sinks: LogSinks, project: str) -> Check:
    """One project with clusters: what containers write is copied to Cloud Logging, unless its sink leaves it out."""
    try:
        exclusions = sinks.exclusions(project)
    except ApiError as error:
        if permission_of(error):
            return unknown(
                _NAME, project, MISSING_PERMISSION, f"missing permission: {error.permission}", _grant(project)
            )
        return probe_failed(_NAME, project, error, REACH)
    if exclusions is None:
        return ok(_NAME, project, "the sink _Default is off")
    covering = [name for name, text in exclusions.items() if _COVERS.fullmatch(text)]
    if covering:
        return ok(_NAME, project, covering[0])
    named = [name for name, text in exclusions.items() if _OURS in text]
    if named:
        why = f"cannot tell whether the exclusion {named[0]} covers every container of ours: {exclusions[named[0]]}"
        return unknown(_NAME, project, "log_exclusion_unclear", why, _remedy(project))
    why = "what the collector writes is copied to Cloud Logging: encrypted, and up to 256 MiB a look"
    return fault(_NAME, project, "log_exclusion_missing", why, _remedy(project))


def _remedy(project: str) -> str:
    exclusion = f"name={_OURS},filter={EXCLUSION_FILTER}"
    command = f"gcloud logging sinks update _Default --project={quote(project)} --add-exclusion={quote(exclusion)}"
    return f"Terraform variable exclude_collector_logs{OR}{command}"


def _grant(project: str) -> str:
    command = (
        f"gcloud projects add-iam-policy-binding {quote(project)} --member=serviceAccount:IDENTITY"
        " --role=roles/logging.viewer"
    )
    return f"terraform apply (google_project_iam_member.logs){OR}{command}"


def repository_place(repository: str) -> tuple[str, str]:
    """Host and name of a repository of Artifact Registry, given by its full name: what its images' names begin with.

    >>> repository_place("projects/shop/locations/europe/repositories/images")
    ('europe-docker.pkg.dev', 'shop/images')
    """
    _, project, _, location, _, name = repository.split("/")
    folder = project.replace(":", "/")
    return (name, folder) if name in OLD_HOSTS else (f"{location}-docker.pkg.dev", f"{folder}/{name}")
