"""The Cloud Run resource that a finding names, from every part that says something, and where these parts disagree.

Full resource names come first (`resourceName`, `resource.name`, `affectedResources`, `displayName` as a path), then the
source's own properties, then `displayName` and `location` beside a `type` of Cloud Run. No part is believed against
another: what differs is a contradiction, which holds every change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec.structs import replace

from scc_responder.domain.finding import CloudRunTarget
from scc_responder.domain.resource_names import is_namespace, parse_cloud_run, same_project
from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import Value
from scc_responder.intake.fields import json_decoded, part, text

MAX_PROPERTIES = 256
"""Properties of the source that are looked at, none of them longer than `MAX_LENGTH`."""
MAX_LENGTH = 512

_GLOBAL = "global"
_API = "//run.googleapis.com/"
_TYPE = LatePattern(
    r"(?:google\.run|google\.cloud\.run|run\.googleapis\.com)[./](?:v[0-9]+\.)?(Service|Revision|Job|Execution|WorkerPool)",
)
_PROJECT_NAME = LatePattern(r"[a-z0-9][a-z0-9.:-]{0,99}")
_PROJECT = LatePattern(rf"//cloudresourcemanager\.googleapis\.com/projects/({_PROJECT_NAME.pattern})")
_LETTERS = LatePattern(r"[^a-z]")
_OWNERS = {"Service": "service", "Job": "job", "WorkerPool": "worker_pool"}
_CHILDREN = {"Revision": "revision", "Execution": "execution"}
_PLURALS = {"service": "services", "job": "jobs", "worker_pool": "workerPools"}
_PLACE = ("location", "project")
_PROPERTIES = {
    "servicename": "service",
    "service": "service",
    "configurationname": "service",
    "jobname": "job",
    "job": "job",
    "workerpoolname": "worker_pool",
    "revisionname": "revision",
    "revision": "revision",
    "executionname": "execution",
    "execution": "execution",
    "location": "location",
    "region": "location",
    "projectid": "project",
}
"""What a property says, by the letters of its key, without `Cloud_Run_` or `Run_` before it."""


class CloudRunParts(Value, frozen=True, kw_only=True):
    """The one resource that a finding names in Cloud Run, and what its parts disagree on."""

    cloud_run: CloudRunTarget | None = None
    contradictions: tuple[str, ...] = ()


class _Said(Value, frozen=True, kw_only=True):
    """What one part of the finding says. `owner` is a kind and a name."""

    owner: tuple[str, str] | None = None
    revision: str = ""
    execution: str = ""
    location: str = ""
    project: str = ""


def read_cloud_run(names: Sequence[str], resource: Mapping[str, Any], source: Mapping[str, Any]) -> CloudRunParts:
    """The resource by the first full name; what else is said fills its gaps, or contradicts it.

    `names` are the full resource names of the finding. Without one, type, display name and location have to name it.
    """
    properties = list(_properties(source))
    told = (*names, text(resource, "displayName"), *(value for _, value in properties))
    full = [target for target in map(_parsed, told) if target]
    typed = _TYPE.fullmatch(text(resource, "type"))
    if not full and typed is None:
        return CloudRunParts()
    said = [*map(_said, full), *_by_property(properties), _by_resource(resource, typed[1] if typed else "", full)]
    named = full[0] if full else _assembled(said)
    if named is None:
        return CloudRunParts()
    ids = (target.project for target in full if not target.project.isdigit())
    if named.project.isdigit():
        named = replace(named, project=next(ids, named.project))
    return CloudRunParts(cloud_run=_completed(named, said), contradictions=tuple(_disagreements(said)))


def _parsed(name: str) -> CloudRunTarget | None:
    """The resource of a full name, also where `//run.googleapis.com/` is left out."""
    return parse_cloud_run(f"{_API}{name}" if name.startswith("projects/") else name)


def _properties(source: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys and texts of the source's properties, those below `properties` and `labels` too."""
    for items in (source, part(source, "properties"), part(source, "labels")):
        for key, value in islice(items.items(), MAX_PROPERTIES):
            if isinstance(value, str) and len(value) <= MAX_LENGTH and (found := json_decoded(value)):
                yield key, found


def _by_property(properties: Iterable[tuple[str, str]]) -> Iterator[_Said]:
    for key, value in properties:
        letters = _LETTERS.compiled.sub("", key.lower())
        field = _PROPERTIES.get(letters.removeprefix("cloud").removeprefix("run"))
        fits = _PROJECT_NAME.fullmatch if field == "project" else is_namespace
        if field and fits(value) and value != _GLOBAL:
            yield replace(_Said(), **{"owner": (field, value)} if field in _PLURALS else {field: value})


def _by_resource(resource: Mapping[str, Any], kind: str, full: Sequence[CloudRunTarget]) -> _Said:
    """What `displayName`, `location` and `gcpMetadata.project` say. A display name is free text beside a full name."""
    shown = text(resource, "displayName")
    shown = shown if is_namespace(shown) else ""
    project = _PROJECT.fullmatch(text(part(resource, "gcpMetadata"), "project") or text(resource, "project"))
    said = _Said(location=_region(text(resource, "location")), project=project[1] if project else "")
    if kind in _CHILDREN and not any(_is_owner(target, shown) for target in full):
        return replace(said, **{_CHILDREN[kind]: shown})
    return replace(said, owner=(_OWNERS[kind], shown)) if kind in _OWNERS and shown and not full else said


def _is_owner(target: CloudRunTarget, shown: str) -> bool:
    """Whether the text is the name of the target's service or job."""
    child = target.revision or target.execution
    return shown == _owner(target)[1] or child.startswith(f"{shown}-")


def _region(location: str) -> str:
    return "" if location == _GLOBAL or not is_namespace(location) else location


def _said(target: CloudRunTarget) -> _Said:
    kind, name = _owner(target)
    return _Said(
        owner=(kind, name) if name else None,
        revision=target.revision,
        execution=target.execution,
        location=target.location,
        project=target.project,
    )


def _owner(target: CloudRunTarget) -> tuple[str, str]:
    return ("service", target.service) if target.kind == "revision" else (target.kind, target.name)


def _assembled(said: Sequence[_Said]) -> CloudRunTarget | None:
    """The resource of parts that together say kind, name, place and project; None where one of them is left open."""
    owner = next((item.owner for item in said if item.owner), None)
    location, project = (next((getattr(item, field) for item in said if getattr(item, field)), "") for field in _PLACE)
    if owner is None or not location or not project:
        return None
    return _parsed(f"projects/{project}/locations/{location}/{_PLURALS[owner[0]]}/{owner[1]}")


def _completed(target: CloudRunTarget, said: Sequence[_Said]) -> CloudRunTarget:
    """The target with what others say of it: its revision or execution, its service."""
    child = {"service": "revision", "job": "execution"}.get(_owner(target)[0], "")
    if child and not getattr(target, child):
        target = replace(target, **{child: next((getattr(item, child) for item in said if getattr(item, child)), "")})
    if target.kind == "revision" and not target.service:
        services = (item.owner[1] for item in said if item.owner and item.owner[0] == "service")
        target = replace(target, service=next(services, ""))
    return target


def _disagreements(said: Sequence[_Said]) -> Iterator[str]:
    owners = {item.owner for item in said if item.owner}
    if len(owners) > 1:
        yield "cloud_run"
    for field in ("revision", "execution"):
        children = {getattr(item, field) for item in said} - {""}
        names = [name for _, name in owners]
        if len(children) > 1 or not all(child.startswith(f"{name}-") for child in children for name in names):
            yield field
    if len({item.location for item in said} - {""}) > 1:
        yield "location"
    projects = {item.project for item in said} - {""}
    if not all(same_project(one, other) for one in projects for other in projects):
        yield "project"
