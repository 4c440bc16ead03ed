"""What the pipeline needs from the world, each performed by one adapter (and one fake that passes the same tests)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from scc_responder.domain.cloud_run.run_metrics import MetricSeries, RunMetric
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunExecution, RunIamPolicy, RunJob, RunRevision, RunService
from scc_responder.domain.cloud_run.run_reads import RunList, RunOperation, RunRead
from scc_responder.domain.context import Cluster, RelatedFinding
from scc_responder.domain.finding import ClusterRef, Finding
from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.notices.routed_notice import RoutedNotice

_T = TypeVar("_T")
ApiObject = dict[str, Any]
"""An object of the Kubernetes API as JSON data: `metadata`, `spec`, `status`."""


class KubernetesApi(Protocol):
    """One cluster's API server, in plain dicts as the API defines them.

    Every method raises ApiError (with `status`; 404 too) or OutcomeUnknown. `dry_run` sends `dryRun=All`.
    """

    def get(self, path: str) -> dict[str, Any]:
        """One object, such as `/api/v1/namespaces/shop/pods/web-1`."""

    def list(self, path: str, field_selector: str = "", label_selector: str = "") -> list[dict[str, Any]]:
        """All items of one collection, read page by page. Raises ApiError `partial_list` if it does not end."""

    def gather(
        self,
        path: str,
        keep: Callable[[dict[str, Any]], _T | None],
        field_selector: str = "",
        label_selector: str = "",
    ) -> Sequence[_T]:
        """What `keep` makes of each item of a collection, without None: an item that was judged takes no memory."""

    def create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """POST to a collection, or to an object's subresource."""

    def patch(
        self, path: str, body: Mapping[str, Any], *, dry_run: bool = False, strategic: bool = False
    ) -> dict[str, Any]:
        """JSON merge patch. `metadata.uid` and `metadata.resourceVersion` in the body are conditions.

        `strategic`: a strategic merge patch, which adds to a list of named items and keeps the others.
        """

    def delete(self, path: str, options: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """DELETE with a `DeleteOptions` body (preconditions, grace period)."""

    def read_log(
        self,
        path: str,
        *,
        container: str,
        previous: bool = False,
        tail_lines: int | None = None,
        limit_bytes: int | None = None,
        follow: bool = False,
        timestamps: bool = False,
        seconds: float,
    ) -> Iterator[bytes]:
        """A container's log, piece by piece as it comes; `path` is `api_paths.pod_log`.

        `previous`: of the run before the last restart. `limit_bytes` keeps the first bytes, after `tail_lines` chose
        the last lines. `timestamps`: the node's time and a space begin each line (RFC 3339), so that a line without is
        the node's own word, not the container's. `follow`: until the container ends. All of it, from the request to
        the last byte, takes no longer than `seconds`: then ApiError `timeout`, after what had come.

        A container that has not started, or had no run before, is ApiError `bad_request`.
        Source: core/v1 PodLogOptions.
        """


class Clusters(Protocol):
    """Where clusters are reached. `describe` and `connect` are only called for clusters that settings list."""

    def describe(self, ref: ClusterRef) -> Cluster:
        """The cluster as its provider knows it. Raises ApiError."""

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        """Its API server. Raises ApiError."""


class Findings(Protocol):
    """Where a finding's present state is read: Security Command Center, or a folder of files for local use."""

    def read(self, finding: Finding) -> Mapping[str, Any] | None:
        """The finding as it stands now (`{"finding": ..., "resource": ...}`), or None. Raises ApiError."""

    def related(self, finding: Finding) -> Sequence[RelatedFinding]:
        """The related findings, by the rule of `related_findings`. Raises ApiError."""


class CloudRunApi(Protocol):
    """Cloud Run's Admin API. Every method raises ApiError (with `status`; 404 too) or OutcomeUnknown.

    A write names the `etag` of what it was decided upon: where that changed, it is ApiError with status 409.
    `validate_only`: the request is checked, and nothing is changed.
    """

    def get_service(self, name: RunName) -> RunRead[RunService]:
        """A service."""

    def get_job(self, name: RunName) -> RunRead[RunJob]:
        """A job."""

    def get_revision(self, name: RunName, revision: str) -> RunRead[RunRevision]:
        """One revision of a service, by its short name."""

    def list_revisions(self, name: RunName, most: int, *, pages: int = ...) -> RunList[RunRevision]:
        """At most so many revisions of a service, read page by page, in at most so many pages: one request each."""

    def list_executions(self, name: RunName, most: int, *, pages: int = ...) -> RunList[RunExecution]:
        """At most so many executions of a job, likewise."""

    def get_execution(self, name: RunName, execution: str) -> RunRead[RunExecution]:
        """One execution of a job, by its short name."""

    def image_digests(self, name: RunName, revision: str) -> Mapping[str, str]:
        """`sha256:...` of a revision's images by the container's name; that of the only container by an empty name.

        A tag may stand for another image since; Cloud Run keeps which one it stood for. Empty where nobody is asked.
        """

    def get_iam_policy(self, name: RunName) -> RunRead[RunIamPolicy]:
        """The IAM policy of a service or job itself."""

    def test_iam_permissions(self, name: RunName, permissions: Sequence[str]) -> Collection[str]:
        """Those of the permissions that are held on a service or job, by whoever reads or by whoever changes it."""

    def update_service(
        self, name: RunName, fields: Mapping[str, Any], *, mask: Sequence[str], etag: str, validate_only: bool = False
    ) -> RunOperation:
        """Replace what `mask` names (`traffic`, `scaling.min_instance_count`) by `fields`, a Service in JSON."""

    def delete_revision(self, name: RunName, revision: str, *, etag: str, validate_only: bool = False) -> RunOperation:
        """Delete a revision. One that gets requests, or is the latest, is ApiError with status 400."""

    def cancel_execution(
        self, name: RunName, execution: str, *, etag: str, validate_only: bool = False
    ) -> RunOperation:
        """Cancel an execution. One that has ended is ApiError with status 400."""

    def set_iam_policy(self, name: RunName, policy: Mapping[str, Any]) -> RunRead[RunIamPolicy]:
        """Replace the policy by this one, in JSON and with the etag of the one that it was made from."""

    def wait_operation(self, operation: str, seconds: float) -> RunOperation:
        """An operation by its name, once it is done or after so many seconds at most."""


class CloudLogs(Protocol):
    """Entries of Cloud Logging."""

    def entries(self, project: str, filter_: str, most: int) -> tuple[list[dict[str, Any]], bool]:
        """The newest entries that a filter chooses, as JSON, in one request, and whether there may be more.

        Raises ApiError; its status is 429 where the quota of requests is used up.
        """


class CloudMetrics(Protocol):
    """Metrics of Cloud Run in Cloud Monitoring."""

    def series(
        self, metric: RunMetric, name: RunName, revision: str, since: datetime, until: datetime
    ) -> Sequence[MetricSeries]:
        """The points of a service's revision, or with an empty one of all, within a time, by labels; in one request.

        Raises ApiError: `partial_list` where only a part came.
        """


class ProjectContacts(Protocol):
    """Essential Contacts of projects."""

    def of(self, project: str) -> tuple[str, ...]:
        """The addresses that are told of security. Raises ApiError, once: for some minutes it knows of none then."""


class ImageRegistry(Protocol):
    """Configurations of images."""

    @property
    def repositories(self) -> Collection[str]:
        """The repositories that may be read, by their full names."""

    def image(self, host: str, name: str, digest: str, architecture: str) -> dict[str, Any]:
        """`manifest` and `config` of the image with this digest, or of an index's image for Linux on `architecture`.

        Each is what its digest names. Raises ApiError.
        """


class Evidence(Protocol):
    """Create-only object storage."""

    def put(self, name: str, content: bytes) -> bool:
        """Store a new object; False if one of that name is there already (it is left as it is). Raises ApiError."""


class Signer(Protocol):
    """Signs with one key: ECDSA on P-256 over SHA-256."""

    @property
    def key_id(self) -> str:
        """Which key it is, for people: it proves nothing."""

    def sign(self, digest: bytes) -> bytes:
        """The signature, in DER, of what has this SHA-256. Raises ApiError."""


class Notifier(Protocol):
    """A way to tell people: a topic, a chat, a ticket system."""

    def tell(self, notice: Notice) -> str:
        """Tell them, and return the receiver's id of the message once it has it. Raises ApiError.

        The same notice may come again, after a crash or where another notifier failed.
        """


class Receiver(Protocol):
    """Who gets the notices of a route: a room of a chat, a pager, a mailbox, another system."""

    def send(self, routed: RoutedNotice) -> str:
        """Hand it over, and return the service's receipt; within a time.

        Raises ApiError, whose `may_pass` says whether the same may be taken later, and `retry_after_seconds` when;
        OutcomeUnknown where it may have been taken. Neither says an address or a secret.
        """


class Approvers(Protocol):
    """Who approvers are, by what proves it."""

    def email(self, token: str) -> str:
        """The verified e-mail address of the token's bearer. Raises Forbidden; RetryableError where nobody can tell."""


class Clock(Protocol):
    """The one source of the present time."""

    def __call__(self) -> datetime:
        """Now, in UTC."""
