"""Whether Cloud Run can be read, and changed by the identity that is to: each missing permission by its name.

Nothing is changed. What reads is asked for a service and a job that nobody has, unless settings name some; what changes
is asked by `testIamPermissions`, which needs one that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from shlex import quote

from scc_responder.domain.cloud_run.run_names import RunKind, RunName
from scc_responder.domain.errors import VPC_SERVICE_CONTROLS, ApiError
from scc_responder.domain.permissions import ACT_AS, RUN_OPERATION
from scc_responder.domain.ports import CloudRunApi
from scc_responder.domain.value import Value
from scc_responder.workbench.doctor.check import (
    MISSING_PERMISSION,
    OR,
    REACH,
    Check,
    fault,
    ok,
    permission_of,
    probe_failed,
    skipped,
    unknown,
)
from scc_responder.workbench.variable_permissions import ACT_AS_WARNING

_UPDATE = "run.services.update"
_ABSENT = "scc-responder-probe"
"""A service, a job, a revision and an operation that nobody has."""
_NAME_ONE = "scc-responder doctor --settings responder.env --service projects/PROJECT/locations/LOCATION/services/NAME"
_READ, _WRITER, _WRITE, _ACT_AS = "run.read", "run.writer", "run.write", "run.act_as"
_OPEN = "allow run.googleapis.com and iamcredentials.googleapis.com in the service perimeter, for both service accounts"


class RunPlace(Value, frozen=True, kw_only=True):
    """A project and a location in it: of all locations the permissions are the same. Empty where none is known."""

    project: str
    location: str = ""

    def name(self, kind: RunKind) -> RunName:
        """A service or job there that nobody has."""
        return RunName(kind=kind, project=self.project, location=self.location, name=_ABSENT)


def examine_reads(api: CloudRunApi, place: RunPlace, permissions: Collection[str]) -> Iterator[Check]:
    """One project: whether each of the permissions is there."""
    if not place.location:
        why = "no location of it is known here: name a service of it in SCC_RESPONDER_SERVICES"
        yield unknown(_READ, place.project, "location_not_named", why, _NAME_ONE)
        return
    calls = _calls(api, place)
    held = []
    for permission in sorted(permissions):
        ask = calls.get(permission)
        refused = ask and _refused(ask)
        if refused:
            yield _failed(_READ, f"{place.project}: {permission}", refused, _reader(place.project))
        elif ask:
            held.append(permission)
        else:
            why = "doctor has no request that asks for this permission alone"
            yield unknown(_READ, f"{place.project}: {permission}", "not_probed", why, "terraform apply")
    if held:
        yield ok(_READ, place.project, f"{len(held)} permissions")


def _calls(api: CloudRunApi, place: RunPlace) -> Mapping[str, Callable[[], object]]:
    service, job = place.name(RunKind.SERVICE), place.name(RunKind.JOB)
    return {
        "run.executions.get": partial(api.get_execution, job, _ABSENT),
        "run.executions.list": partial(api.list_executions, job, 1),
        "run.jobs.get": partial(api.get_job, job),
        "run.jobs.getIamPolicy": partial(api.get_iam_policy, job),
        "run.revisions.get": partial(api.get_revision, service, _ABSENT),
        "run.revisions.list": partial(api.list_revisions, service, 1),
        "run.services.get": partial(api.get_service, service),
        "run.services.getIamPolicy": partial(api.get_iam_policy, service),
    }


def examine_writer(token: Callable[[], object], writer: str, identity: str = "") -> Check:
    """Whether the function, which is `identity`, is given tokens of another one that changes Cloud Run."""
    if writer.lower() == identity.lower():
        why = "the function changes Cloud Run as itself: whatever reads findings may change services too"
        return fault(_WRITER, writer, "writer_is_the_function", why, "Terraform variable cloud_run_writes")
    try:
        token()
    except ApiError as error:
        project = quote(writer.partition("@")[2].partition(".")[0])
        command = (
            f"gcloud iam service-accounts add-iam-policy-binding {quote(writer)} --project={project}"
            " --member=serviceAccount:IDENTITY --role=roles/iam.serviceAccountTokenCreator"
        )
        return _failed(_WRITER, writer, error, f"{command}{OR}terraform apply")
    return ok(_WRITER, writer, "iam.serviceAccounts.getAccessToken")


def examine_writes(api: CloudRunApi, name: RunName, permissions: Collection[str], writer: str) -> Iterator[Check]:
    """One service or job: whether the writer has those of the permissions that are about its kind."""
    asked = sorted(each for each in permissions if _is_about(each, name.kind))
    try:
        held = api.test_iam_permissions(name, asked) if asked else ()
    except ApiError as error:
        yield _failed(_WRITE, name.path, error, _granted(name.project))
        return
    for permission in asked:
        if permission not in held:
            why = f"missing permission: {permission}, of {writer}"
            yield fault(_WRITE, f"{name.path}: {permission}", MISSING_PERMISSION, why, _granted(name.project))
    if held:
        yield ok(_WRITE, name.path, ", ".join(sorted(held)))
    if _UPDATE in asked:
        yield skipped(_ACT_AS, name.path, "act_as_not_known", f"whether a change asks for {ACT_AS}: {ACT_AS_WARNING}")


def examine_operations(api: CloudRunApi, place: RunPlace) -> Check:
    """One project: whether the writer can see how its changes end."""
    operation = f"projects/{place.project}/locations/{place.location}/operations/{_ABSENT}"
    refused = _refused(partial(api.wait_operation, operation, 0.0))
    if refused:
        return _failed(_WRITE, f"{place.project}: {RUN_OPERATION}", refused, _granted(place.project))
    return ok(_WRITE, place.project, RUN_OPERATION)


def unnamed_service(pattern: str) -> Check:
    """A pattern of settings: what changes can be asked of a service alone, and the function may not list any."""
    why = "what the writer may change is asked of one service or job, and this pattern names none"
    return unknown(_WRITE, pattern, "service_not_named", why, _NAME_ONE)


def _is_about(permission: str, kind: RunKind) -> bool:
    ours: Sequence[str] = ("services", "revisions") if kind is RunKind.SERVICE else ("jobs", "executions")
    return permission.split(".")[1] in ours


def _refused(ask: Callable[[], object]) -> ApiError | None:
    """The error, but for one that says that there is no such thing: who may not ask is not told."""
    try:
        ask()
    except ApiError as error:
        return None if error.status == 404 else error
    return None


def _failed(name: str, probed: str, error: ApiError, grant: str) -> Check:
    if error.refused_by == VPC_SERVICE_CONTROLS:
        return fault(name, probed, "outside_the_perimeter", str(error), _OPEN)
    return probe_failed(name, probed, error, grant if permission_of(error) else REACH)


def _reader(project: str) -> str:
    command = (
        f"gcloud projects add-iam-policy-binding {quote(project)} --member=serviceAccount:IDENTITY"
        " --role=roles/run.viewer"
    )
    return f"Terraform variable cloud_run_projects{OR}{command}"


def _granted(project: str) -> str:
    return f'Terraform variable cloud_run_writes, with "{project}" in it'
