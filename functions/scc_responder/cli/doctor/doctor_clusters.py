"""Which clusters there are to probe: those that are named, else those that settings name or that GKE lists for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from shlex import quote
from typing import Any

from scc_responder.collect.confirm import covers
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.value import Value
from scc_responder.domain.wildcards import matches
from scc_responder.settings import Settings
from scc_responder.workbench.doctor import check
from scc_responder.workbench.doctor.check import OR, Check, CheckResult
from scc_responder.workbench.doctor.cluster_checks import unlisted_cluster
from scc_responder.workbench.doctor.side_by_side import side_by_side

_NAME = "cluster.listed"
_NONE = "no_cluster_probed"


class Wanted(Value, frozen=True, kw_only=True):
    """Which clusters are asked about: `names` are full names or patterns, `refs` come from a list. None: all."""

    names: tuple[str, ...] = ()
    refs: tuple[ClusterRef, ...] | None = None

    @property
    def exact(self) -> tuple[ClusterRef, ...]:
        """The names that are full ones."""
        return tuple(ref for name in self.names if (ref := ClusterRef.parse(name)))

    @property
    def patterns(self) -> tuple[str, ...]:
        """The names that are not: clusters have to be listed to find those."""
        return tuple(name for name in self.names if ClusterRef.parse(name) is None)

    @property
    def are_named(self) -> bool:
        """Whether nothing has to be listed."""
        return not self.patterns and (bool(self.names) or self.refs is not None)


class Found(Value, frozen=True, kw_only=True):
    """The clusters, and what kept others from being found."""

    refs: tuple[ClusterRef, ...] = ()
    checks: tuple[Check, ...] = ()


def parse_clusters(text: str, file: str) -> tuple[ClusterRef, ...]:
    """The clusters of a list, one to a line. Raises SettingsError with file and line.

    >>> parse_clusters("projects/p/locations/l/clusters/c", "-")[0].name
    'c'
    """
    refs: dict[ClusterRef, None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        ref = ClusterRef.parse(line.strip())
        if ref is not None:
            refs[ref] = None
        elif line.strip():
            why = f"{file}:{number}: {line.strip()!a} is not projects/P/locations/L/clusters/C"
            raise SettingsError("invalid_clusters_file", why)
    return tuple(refs)


def list_command(project: str) -> str:
    """The command that probes every cluster of a project: you may list them, and the function may not."""
    form = f'value(format("projects/{project}/locations/{{0}}/clusters/{{1}}", location, name))'
    command = f"gcloud container clusters list --project={quote(project)} --format={quote(form)}"
    return f"{command} | scc-responder doctor --settings responder.env --clusters-from -"


def find_clusters(settings: Settings, clusters: Any, wanted: Wanted, seconds: float) -> Found:
    """The clusters to probe. That there is none is a fault: a deployment that reaches none responds to nothing."""
    named = [*wanted.exact, *(wanted.refs or ())]
    unlisted = {ref: fault for ref in named if (fault := unlisted_cluster(settings.clusters, ref.path, covers))}
    # What is named one by one is meant; a project's list may well have clusters that settings leave out.
    checks = [fault if ref in wanted.exact else _left_out(fault) for ref, fault in unlisted.items()]
    refs = dict.fromkeys(ref for ref in named if ref not in unlisted)
    if not wanted.are_named:
        found = _local(settings, clusters) if settings.clusters_file else _of_patterns(settings, seconds)
        refs |= dict.fromkeys(ref for ref in found.refs if _is_wanted(ref, wanted.patterns))
        checks += found.checks
    return Found(refs=tuple(refs), checks=tuple(checks if refs else _none(settings, wanted, checks)))


def _is_wanted(ref: ClusterRef, patterns: Sequence[str]) -> bool:
    return not patterns or any(matches(pattern, text) for pattern in patterns for text in (ref.path, ref.name))


def _left_out(unlisted: Check) -> Check:
    return check.skipped(unlisted.name, unlisted.probed, unlisted.reason, unlisted.why)


def _none(settings: Settings, wanted: Wanted, checks: Sequence[Check]) -> Iterator[Check]:
    """The checks of clusters, with a fault if no cluster was probed."""
    for each in checks:
        unknown = each.result is CheckResult.UNKNOWN
        why = f"no cluster was probed: {each.why}"
        yield check.fault(each.name, each.probed, _NONE, why, each.fix) if unknown else each
    if any(each.result in {CheckResult.FAULT, CheckResult.UNKNOWN} for each in checks):
        return
    asked = ", ".join(wanted.names) or ", ".join(settings.clusters)
    why = "no cluster is named so" if wanted.names else "the patterns of settings find no cluster"
    if wanted.refs is not None:
        why = "the list has no cluster that settings cover" if wanted.refs else "the list is empty"
    project = next(iter(_projects(settings)), "PROJECT")
    fix = f"{list_command(project)}{OR}Terraform variable clusters"
    yield check.fault(_NAME, asked, _NONE, why, fix)


def _projects(settings: Settings) -> Iterator[str]:
    names = (pattern.split("/")[1] for pattern in settings.clusters)
    return (name for name in names if name != "*")


def _local(settings: Settings, clusters: Any) -> Found:
    refs, checks = [], []
    for ref in clusters.refs:
        unlisted = unlisted_cluster(settings.clusters, ref.path, covers)
        refs += [] if unlisted else [ref]
        checks += [unlisted] if unlisted else []
    return Found(refs=tuple(refs), checks=tuple(checks))


def _of_patterns(settings: Settings, seconds: float) -> Found:
    from scc_responder.adapters.google.gke.gke_listing import GkeListing  # noqa: PLC0415 - local clusters need no GKE

    lists = GkeListing(endpoint=settings.gke_endpoint)
    plain = [ref for pattern in settings.clusters if (ref := ClusterRef.parse(pattern))]
    wild = [pattern for pattern in settings.clusters if ClusterRef.parse(pattern) is None]
    places = [pattern.split("/")[1:4:2] for pattern in wild]
    asked = [index for index, (project, _) in enumerate(places) if project != "*"]
    jobs: list[Callable[[], Sequence[ClusterRef]]] = [partial(lists.clusters, *places[index]) for index in asked]
    refs, checks = dict.fromkeys(plain), [_anywhere(wild[i]) for i, (project, _) in enumerate(places) if project == "*"]
    for answer in side_by_side(jobs, seconds):
        pattern = wild[asked[answer.number]]
        if answer.value is None:
            checks.append(_unlisted(pattern, answer.error, seconds))
        refs |= dict.fromkeys(ref for ref in answer.value or () if covers(pattern, ref.path))
    return Found(refs=tuple(refs), checks=tuple(checks))


def _anywhere(pattern: str) -> Check:
    why = "clusters are listed by project, and this pattern names none"
    return check.unknown(_NAME, pattern, "project_not_named", why, list_command("PROJECT"))


def _unlisted(pattern: str, error: Exception | None, seconds: float) -> Check:
    if isinstance(error, ApiError) and error.permission:
        why = f"missing permission: {error.permission}, which the function itself does not need"
        return check.unknown(_NAME, pattern, check.MISSING_PERMISSION, why, list_command(pattern.split("/")[1]))
    return check.unanswered(_NAME, pattern, error, seconds)
