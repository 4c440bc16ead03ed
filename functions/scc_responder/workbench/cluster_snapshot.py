"""Take a snapshot of a cluster, and read facts from one as from the cluster itself.

A snapshot stands for an API server that can only be read: `collect` reads it by the same paths and with the same
answers, so that a decision sees the state at the time of the snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from scc_responder.actions import actions
from scc_responder.collect.asked_reads import read_asked
from scc_responder.collect.live import look
from scc_responder.collect.target import Collected, collect
from scc_responder.domain.asked_facts import AskedFact
from scc_responder.domain.context import (
    Cluster,
    Context,
    RelatedFinding,
)
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.finding import ClusterRef, Finding
from scc_responder.domain.kubernetes.paged_api import PagedApi
from scc_responder.domain.ports import ApiObject, Findings, KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.explanation import ContextFacts
from scc_responder.workbench.snapshot_file import (
    COLLECTIONS,
    EVERY_COLLECTION,
    SERVICE_ACCOUNTS,
    SnapshotCollection,
    SnapshotFile,
    collection_of,
    decode_snapshot,
    list_path,
    ordered,
    reduced,
)

PAGE = 500
"""Objects in one answer of the API server; its own clients ask for as many."""

RESTARTS = 3
"""How often a list is read again from its beginning after its cursor has expired."""

_REFUSED = frozenset({401, 403, 404})
_READ_SECONDS = 60.0

_T = TypeVar("_T")
ReadProgress = Callable[[str, int], None]
"""Called with a collection's name and how many of its objects are read."""


def take_snapshot(
    api: PagedApi,
    cluster: Cluster,
    now: datetime,
    *,
    annotations: Iterable[str] = (),
    collections: Mapping[str, SnapshotCollection] = COLLECTIONS,
    progress: ReadProgress,
) -> SnapshotFile:
    """Read everything that decisions need, page by page. Raises ApiError where the cluster does not answer.

    What may not be read, or is no resource of this cluster, stands in `missing`.
    """
    objects, missing = {}, {}
    for name, collection in collections.items():
        try:
            items = _all(api, collection, tuple(annotations), partial(progress, name))
        except ApiError as error:
            if error.status not in _REFUSED and error.reason != Reason.NO_SUCH_RESOURCE:
                raise
            missing[name] = (
                f"{error.reason}: missing permission: {error.permission}" if error.permission else error.reason
            )
        else:
            objects[name] = ordered(items)
    return SnapshotFile(taken_at=now, cluster=cluster, objects=objects, missing=missing)


def _all(
    api: PagedApi, collection: SnapshotCollection, annotations: Sequence[str], progress: Callable[[int], None]
) -> list[ApiObject]:
    """Every object of the collection as it is kept: from the beginning again where the list grew too old."""
    for attempt in range(RESTARTS):
        try:
            return _pages(api, collection, annotations, progress)
        except ApiError as error:
            if error.reason != Reason.GONE or attempt + 1 == RESTARTS:
                raise
    raise AssertionError


def _pages(
    api: PagedApi, collection: SnapshotCollection, annotations: Sequence[str], progress: Callable[[int], None]
) -> list[ApiObject]:
    found: list[ApiObject] = []
    after = ""
    while True:
        items, after = api.page(collection.path, PAGE, after)
        found += (reduced(item, collection, annotations) for item in items)
        progress(len(found))
        if not after:
            return found


def read_snapshot(path: Path) -> Snapshot:
    """The snapshot in a file. Raises SettingsError that names file and remedy."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError("unreadable_file", f"{path}: {error.strerror}") from error
    return Snapshot(decode_snapshot(content, str(path)), str(path))


class NoFindings:
    """`ports.Findings` where Security Command Center is not asked: a finding is taken as it stands, without others."""

    def read(self, finding: Finding) -> Mapping[str, Any] | None:
        """Raise ApiError `not_read`."""
        raise ApiError(Reason.NOT_READ, f"{finding.name}: Security Command Center is not asked here")

    def related(self, finding: Finding) -> Sequence[RelatedFinding]:
        """Raise ApiError `not_read`."""
        raise ApiError(Reason.NOT_READ, f"{finding.name}: Security Command Center is not asked here")


class Snapshot:
    """One cluster at one time: `ports.Clusters` of that cluster alone."""

    def __init__(self, file: SnapshotFile, name: str = "snapshot") -> None:
        """Raise SettingsError `unusable_snapshot` where an object has no name."""
        self.name = name
        self.cluster = file.cluster
        self.taken_at = file.taken_at
        self.missing = dict(file.missing)
        self._api = SnapshotApi(file, name)

    def facts(self, finding: Finding, findings: Findings | None = None) -> ContextFacts:
        """What would have been read about the finding's target when the snapshot was taken.

        Raises SettingsError `unusable_snapshot` where its objects are not as they were copied.
        """
        try:
            collected = self.collect(finding, findings)
            context = look_around(collected)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise self._odd(finding, error) from error
        for failed in collected.errors.values():
            if failed.reason == Reason.UNUSABLE_ANSWER:
                raise self._odd(finding, failed)
        return ContextFacts(**{field: getattr(context, field) for field in ContextFacts.__struct_fields__})

    def _odd(self, finding: Finding, error: Exception) -> SettingsError:
        why = f"{self.name}: an object about {finding.name} is not as it was copied: {error!r}; take it anew"
        return SettingsError("unusable_snapshot", why)

    def collect(self, finding: Finding, findings: Findings | None = None) -> Collected:
        """As `collect.collect` of the cluster itself, so that what follows it can follow here too."""
        return collect(finding, self, findings or NoFindings(), AtOnce(), _READ_SECONDS)

    def describe(self, ref: ClusterRef) -> Cluster:
        """The cluster as its provider described it. Raises ApiError `cluster_not_found`."""
        self._check(ref)
        return self.cluster

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        """Its API server as it was. Raises ApiError `cluster_not_found`."""
        self._check(ref)
        return self._api

    def _check(self, ref: ClusterRef) -> None:
        if ref != self.cluster.ref:
            raise ApiError(Reason.CLUSTER_NOT_FOUND, f"{ref.path} is not in this snapshot", status=404)


class SnapshotApi:
    """`ports.KubernetesApi` on the objects of a snapshot. Reading takes the same time however many there are."""

    def __init__(self, file: SnapshotFile, name: str) -> None:
        self._missing = file.missing
        self._held = file.objects.keys()
        self._items: dict[str, ApiObject] = {}
        self._lists: dict[str, list[ApiObject]] = {}
        self._selected: dict[tuple[str, str], list[ApiObject]] = {}
        try:
            self._index(file)
        except (KeyError, TypeError, AttributeError) as error:
            why = f"{name}: an object in it has no name, or is of no known kind"
            raise SettingsError("unusable_snapshot", why) from error

    def _index(self, file: SnapshotFile) -> None:
        for name, items in file.objects.items():
            for item in items:
                meta = item["metadata"]
                path = list_path(EVERY_COLLECTION[name], meta.get("namespace", ""))
                self._items[f"{path}/{meta['name']}"] = item
                self._lists.setdefault(path, []).append(item)

    def get(self, path: str) -> ApiObject:
        """One object. Raises ApiError `not_found`, or `not_in_snapshot` where such objects were not copied."""
        self._check(path)
        if path not in self._items:
            raise ApiError(Reason.NOT_FOUND, f"GET {path}: not in the snapshot", status=404)
        return self._items[path]

    def list(self, path: str, field_selector: str = "", label_selector: str = "") -> list[ApiObject]:
        """The objects of a namespace, or all that have none. Raises ApiError `not_in_snapshot`."""
        self._check(path)
        if field_selector:
            raise ApiError(Reason.NOT_IN_SNAPSHOT, f"GET {path}: a snapshot is not searched by fields")
        if (path, label_selector) not in self._selected:
            terms = [term for term in label_selector.split(",") if term]
            found = [item for item in self._lists.get(path, ()) if all(_has(item, term) for term in terms)]
            self._selected[path, label_selector] = found
        return self._selected[path, label_selector]

    def gather(
        self, path: str, keep: Callable[[ApiObject], _T | None], field_selector: str = "", label_selector: str = ""
    ) -> Sequence[_T]:
        """What `keep` makes of each of these objects, without None. Raises ApiError `not_in_snapshot`."""
        made = map(keep, self.list(path, field_selector, label_selector))
        return [item for item in made if item is not None]

    def _check(self, path: str) -> None:
        name = collection_of(path)
        if name is None or name in self._missing or (name in SERVICE_ACCOUNTS and name not in self._held):
            why = self._missing.get(name or "", "no such objects are copied")
            raise ApiError(Reason.NOT_IN_SNAPSHOT, f"GET {path}: {why}")

    def _refuse(self, path: str, *_: Any, **__: Any) -> NoReturn:
        raise ApiError(Reason.READ_ONLY, f"{path}: a snapshot cannot be changed", status=405)

    create = patch = delete = _refuse

    def read_log(self, path: str, **_: Any) -> NoReturn:
        """A snapshot holds no log. Raises ApiError `not_in_snapshot`."""
        raise ApiError(Reason.NOT_IN_SNAPSHOT, f"GET {path}: no logs are copied")


def _has(item: ApiObject, term: str) -> bool:
    """Whether the object's labels meet one term of a selector: `key=value`, `key!=value`, `key` or `!key`."""
    labels = item["metadata"].get("labels") or {}
    key, has_value, value = term.replace("==", "=").partition("=")
    if not has_value:
        return (key[1:] not in labels) if key.startswith("!") else key in labels
    return labels.get(key[:-1]) != value if key.endswith("!") else labels.get(key) == value


class AtOnce(Executor):
    """Runs what is submitted right away: nothing in a snapshot has to be waited for."""

    def submit(self, run: Callable[..., _T], /, *arguments: Any, **named: Any) -> Future[_T]:
        """The answer, or what was raised, as a future that is over."""
        future: Future[_T] = Future()
        try:
            future.set_result(run(*arguments, **named))
        except Exception as error:  # noqa: BLE001 - the caller meets it in the future's result
            future.set_exception(error)
        return future


def look_around(collected: Collected) -> Context:
    """The context with the live state for every possible disruption, and all that a policy may ask for."""
    context = look(collected.context, collected, (action for action in actions().values() if action.disrupts))
    return read_asked(context, collected, frozenset(AskedFact))
