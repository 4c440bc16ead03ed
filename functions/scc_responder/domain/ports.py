"""What the pipeline needs from the world, each performed by one adapter (and one fake that passes the same tests)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from scc_responder.domain.context import Cluster, RelatedFinding
from scc_responder.domain.finding import ClusterRef, Finding
from scc_responder.domain.value import Value


class Entry(Value, frozen=True, kw_only=True):
    """One stored value. `version` changes with every write; `server_time` is the store's clock at this answer.

    `update_time` is the store's clock at the last write of this entry, so that the age of a lease is judged by one
    clock alone. None where a store cannot tell: leases in it never expire by themselves. `unfinished` is what the last
    write said.
    """

    key: str
    value: bytes
    version: str
    server_time: datetime
    update_time: datetime | None = None
    unfinished: bool = False


class Page(Value, frozen=True, kw_only=True):
    """Some entries in key order. `cursor` continues after them; None means there are no more."""

    entries: tuple[Entry, ...]
    cursor: str | None = None


class CasStore(Protocol):
    """One key, one version, compare-and-set. No transactions over several keys, so that all backends mean the same.

    A write raises StoreUnavailable where it was certainly not stored, and StoreOutcomeUnknown where nobody can tell:
    then what is stored has to be read and recognised. `keep`: the entry is not needed longer, and a store may remove it
    some time after; without it, an entry stays. `unfinished`: somebody may still have to go on with the entry, and a
    scan can ask for those alone; a write that does not say so takes it back.
    """

    def get(self, key: str) -> Entry | None:
        """The entry, or None. Raises StoreUnavailable."""
        ...

    def get_many(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        """The entry of each key, or None, in one request: all of them, or StoreUnavailable."""
        ...

    def create(self, key: str, value: bytes, *, keep: timedelta | None = None, unfinished: bool = False) -> Entry:
        """Store under a new key. Raises AlreadyExists, StoreUnavailable, StoreOutcomeUnknown."""
        ...

    def replace(
        self, key: str, value: bytes, version: str, *, keep: timedelta | None = None, unfinished: bool = False
    ) -> Entry:
        """Store over the version the caller saw. Raises Conflict, StoreUnavailable, StoreOutcomeUnknown."""
        ...

    def delete(self, key: str, version: str) -> None:
        """Remove the version the caller saw. Raises Conflict, StoreUnavailable, StoreOutcomeUnknown."""
        ...

    def scan(self, prefix: str, cursor: str | None = None, limit: int = 100, *, unfinished: bool = False) -> Page:
        """Entries whose key starts with prefix, in key order, after cursor; with `unfinished` no others are read.

        Raises StoreUnavailable.
        """
        ...


class KubernetesApi(Protocol):
    """One cluster's API server, in plain dicts as the API defines them.

    Every method raises ApiError (with `status`; 404 too) or OutcomeUnknown. `dry_run` sends `dryRun=All`.
    """

    def get(self, path: str) -> dict[str, Any]:
        """One object, such as `/api/v1/namespaces/shop/pods/web-1`."""
        ...

    def list(self, path: str, field_selector: str = "", label_selector: str = "") -> list[dict[str, Any]]:
        """All items of one collection. Raises ApiError `partial_list` if the server paged it."""
        ...

    def create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """POST to a collection."""
        ...

    def patch(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """JSON merge patch. `metadata.uid` and `metadata.resourceVersion` in the body are conditions."""
        ...

    def delete(self, path: str, options: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """DELETE with a `DeleteOptions` body (preconditions, grace period)."""
        ...


class PagedApi(KubernetesApi, Protocol):
    """An API server whose collections are read in parts, however large they are."""

    def page(self, path: str, limit: int, after: str = "") -> tuple[list[dict[str, Any]], str]:
        """At most `limit` items of a collection, of all namespaces too, and the cursor of the next ones ("" if none).

        Raises ApiError `gone` if the server has forgotten the cursor: then from the beginning.
        """
        ...


class Clusters(Protocol):
    """Where clusters are reached. `describe` and `connect` are only called for clusters that settings list."""

    def describe(self, ref: ClusterRef) -> Cluster:
        """The cluster as its provider knows it. Raises ApiError."""
        ...

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        """Its API server. Raises ApiError."""
        ...


class Findings(Protocol):
    """Where a finding's present state is read: Security Command Center, or a folder of files for local use."""

    def read(self, finding: Finding) -> Mapping[str, Any] | None:
        """The finding as it stands now (`{"finding": ..., "resource": ...}`), or None. Raises ApiError."""
        ...

    def related(self, finding: Finding) -> Sequence[RelatedFinding]:
        """Other findings on the same resource within an hour of its event time. Raises ApiError."""
        ...


class Evidence(Protocol):
    """Create-only object storage."""

    def put(self, name: str, content: bytes) -> bool:
        """Store a new object; False if one of that name is there already (it is left as it is). Raises ApiError."""
        ...


class Outcomes(Protocol):
    """The topic on which decisions and outcomes are published."""

    def publish(self, message: bytes, attributes: Mapping[str, str]) -> str:
        """Publish and return the message id once the server has it. Raises ApiError."""
        ...


class Approvers(Protocol):
    """Who approvers are, by what proves it."""

    def email(self, token: str) -> str:
        """The verified e-mail address of the token's bearer. Raises Forbidden; RetryableError where nobody can tell."""
        ...


class Clock(Protocol):
    """The one source of the present time."""

    def __call__(self) -> datetime:
        """Now, in UTC."""
        ...
