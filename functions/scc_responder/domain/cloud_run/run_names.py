"""Names of Cloud Run, read strictly: a service or a job, with the revision or the execution that is meant.

Source: google/cloud/run/v2, resource patterns of `Service`, `Revision`, `Job` and `Execution`.
"""

from __future__ import annotations

from enum import StrEnum

from scc_responder.domain.finding import CloudRunTarget
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import Value

WORKER_POOL = "worker_pool"
"""The kind of a resource that this version acts on in no way."""

_GENERATED = LatePattern(r"([a-z0-9-]{1,52})-[0-9]{5}-[a-z0-9]{3}")
"""A revision's name as Cloud Run makes it: service, number, three letters."""
_NAME = LatePattern(
    r"projects/([a-z0-9][a-z0-9.:-]{0,99})/locations/([a-z0-9-]{1,63})/(service|job)s/([a-z0-9-]{1,63})"
)


class RunKind(StrEnum):
    """What may be acted on in Cloud Run. A worker pool is none of these."""

    SERVICE = "service"
    JOB = "job"


class RunName(Value, frozen=True, kw_only=True):
    """A service or a job. `project` is an id, or a number where nothing names the id."""

    kind: RunKind
    project: str
    location: str
    name: str

    @property
    def path(self) -> str:
        """The name that the Admin API takes: `projects/P/locations/L/services/N`, or `.../jobs/N`."""
        return f"projects/{self.project}/locations/{self.location}/{self.kind}s/{self.name}"

    @property
    def deletion(self) -> str:
        """The command with which a person deletes it. Nothing here ever does."""
        return f"gcloud run {self.kind}s delete {self.name} --region {self.location} --project {self.project}"

    @classmethod
    def parse(cls, path: str) -> RunName | None:
        """The service or job of a path, or None.

        >>> RunName.parse("projects/p/locations/europe-west1/jobs/nightly").kind
        <RunKind.JOB: 'job'>
        """
        match = _NAME.fullmatch(path)
        if match is None:
            return None
        project, location, kind, name = match.groups()
        return cls(kind=RunKind(kind), project=project, location=location, name=name)


class RunTarget(Value, frozen=True, kw_only=True):
    """What a finding is about in Cloud Run: `revision` (of a service) or `execution` (of a job) as the finding says it.

    Both are short names, and empty where the finding says neither.
    """

    name: RunName
    revision: str = ""
    execution: str = ""

    @property
    def kind(self) -> RunKind:
        """Whether it is a service or a job."""
        return self.name.kind

    @property
    def path(self) -> str:
        """The path of the service or job."""
        return self.name.path


def short_name(path: str) -> str:
    """The last segment of a path: `checkout-00042-abc` of a revision's.

    >>> short_name("projects/p/locations/l/services/checkout/revisions/checkout-00042-abc")
    'checkout-00042-abc'
    """
    return path.rpartition("/")[2]


def run_target(named: CloudRunTarget | None) -> RunTarget | Reason:
    """The service or job that a finding names, or why there is none: `service_not_named`, `worker_pool`.

    The service of a revision that stands alone is read off a generated name; that the service has such a revision is
    for its identity to prove.
    """
    if named is None:
        return Reason.SERVICE_NOT_NAMED
    if named.kind == WORKER_POOL:
        return Reason.WORKER_POOL
    name, kind = named.name, RunKind.JOB if named.kind == RunKind.JOB else RunKind.SERVICE
    if named.kind == "revision":
        generated = _GENERATED.fullmatch(named.name)
        name = named.service or (generated[1] if generated else "")
    if not name:
        return Reason.SERVICE_NOT_NAMED
    owner = RunName(kind=kind, project=named.project, location=named.location, name=name)
    return RunTarget(name=owner, revision=named.revision, execution=named.execution)
