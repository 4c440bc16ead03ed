"""The only changes that are ever made, one kind in each file, found by file name.

In: a step that may be carried out, and the means to do it. Out: one `Result`, read back. A kind of change says all of
itself: the object it is about, whether it can be undone, what it disrupts, its permissions, how it is probed, its one
conditional request, and how it is verified. Actions plan changes, `execute` carries them out and knows no kind by name.
Read `patch_object.py` for an example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, reduce
from importlib import import_module
from operator import or_
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from scc_responder.domain.clock import utc_now
from scc_responder.domain.cloud_run.run_session import RunSession
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.kubernetes.collector_stream import Frame
from scc_responder.domain.permissions import Permissions, Tier
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.status import FrozenProcess, Result
from scc_responder.domain.value import Value, read_json, resolved

if TYPE_CHECKING:
    from scc_responder.domain.kubernetes.collector_container import CollectorJob


class Disruption(StrEnum):
    """What a change may make unavailable: it counts against limits, and the cluster is looked at before."""

    NOTHING = ""
    PODS = "pods"
    NODES = "nodes"
    SERVICES = "services"
    """Of Cloud Run, jobs too."""


class ChangedObject(Value, frozen=True, kw_only=True):
    """The object that a change is about. What has no namespace has an empty one; of Cloud Run, `name` is its path."""

    kind: str
    name: str
    uid: str
    namespace: str = ""


class ChangeKind(Value, frozen=True, kw_only=True):
    """What a kind of change declares of itself, before any object is known.

    `observes`: it changes nothing on the target, so guards for the target do not hold it. `tells`: it tells what was
    done before it, so a policy's last word comes after all else. `ends_pod`: the pod and what is in it are gone then.
    `detaches_pod`: its workload makes another beside it. `asks_budgets`: the API server itself refuses it where the
    pod's disruption budget allows none.
    `keeps_files`: it keeps the files that the finding names, as far as they are there.
    `cuts_access`: fewer may reach a service of Cloud Run.
    `asks_person`: it is only ever made once a person has approved it, whatever a policy's mode is.
    `rehearses`: a rehearsal has the whole request checked, and not only whether it may be made.
    """

    permissions: Permissions
    reversible: bool = True
    observes: bool = False
    tells: bool = False
    ends_pod: bool = False
    detaches_pod: bool = False
    asks_budgets: bool = False
    keeps_files: bool = False
    cuts_access: bool = False
    asks_person: bool = False
    rehearses: bool = True
    disrupts: Disruption = Disruption.NOTHING

    @property
    def puts_container_in(self) -> bool:
        """Whether it puts a container of ours into a pod, whose log the case's key reads."""
        return any(permission.tier is Tier.FORENSIC for permission in self.permissions)


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRun:
    """What a change needs to know of the step that it is carried out for.

    `intend` writes the intent ahead. A change calls it after its probe and right before each request that changes
    anything; it raises if this process may no longer act. `intended`: an earlier attempt wrote the intent, so that a
    target in the wanted state is our own work. `renew` keeps the case through a step that takes long. `due_at`: the
    request was accepted before, and when a sweep was to look again (`Result.due_at`). `ran_at`: the pod's processes ran
    on when that was written. `waits_until`: it waits for no answer any longer, as the delivery ends soon after.
    `intended_at`: when the intent was written that stands now.
    """

    action_id: str
    dry_run: bool
    intended: bool
    intend: Callable[[], None]
    renew: Callable[[], None]
    clock: Callable[[], datetime] = utc_now
    due_at: datetime | None = None
    ran_at: datetime | None = None
    waits_until: datetime | None = None
    intended_at: datetime | None = None

    def seconds(self, most: float) -> float:
        """How many seconds it may wait for an answer: at most so many, and no longer than the delivery lasts."""
        left = (self.waits_until - self.clock()).total_seconds() if self.waits_until else most
        return max(0.0, min(most, left))


class Collector(Protocol):
    """What our own containers in a pod are made with: their image by digest, and the case by its 12 hex digits.

    `image` is empty where settings name none. The key is that of the case; every method raises StoreError.
    """

    image: str
    case: str

    def private_key(self) -> bytes:
        """The private key, made and stored at the first call."""

    def stored_key(self) -> bytes | None:
        """The private key; None where there is none, or it was destroyed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspected:
    """What a look into a container tells: `frames` as they come, which raise Truncated where they are not the whole.

    `own_form`: the collector runs as the target does, so that an attacker may have hidden from it. `container` is the
    one that was looked at. `renew` keeps the case meanwhile.
    """

    container: str
    frames: Iterator[Frame]
    own_form: bool
    renew: Callable[[], None]


class Means(Protocol):
    """What changes are carried out with."""

    @property
    def collector(self) -> Collector:
        """What our own containers in a pod are made with."""

    def frozen(self, uid: str) -> tuple[FrozenProcess, ...]:
        """The processes of this pod that steps of the case stopped, and did not let go on since."""

    def was_done_by(self, change: Change, moment: datetime) -> bool:
        """Whether the case's step of this very change was done by then; also where the case has none."""

    def in_cluster(self, change: Callable[[ClusterSession], Result]) -> Result:
        """Make a change in the finding's cluster; skipped where it has none, or it was not reached."""

    def in_cloud_run(self, change: Callable[[RunSession], Result]) -> Result:
        """Make a change on Cloud Run; held where this deployment does not reach it."""

    def capture_evidence(self, change: Change, step: StepRun) -> Result:
        """Store what was read of the finding's target, which is the change's."""

    def keep_inspection(self, inspected: Inspected) -> Result:
        """Store what a look into a container tells, as it comes. Raises ApiError."""

    def publish_decision(self, step: StepRun, to: str) -> Result:
        """Publish the decision and the outcomes so far; `to` is the route that a policy names, or empty."""


class Change(Value, frozen=True, kw_only=True, tag_field="change"):
    """One change of one object, bound to the UID that was read. Its tag and fields are what the journal stores."""

    declares: ClassVar[ChangeKind]
    lasting: ClassVar[str] = ""
    """Why nothing takes it back; empty where the desk's `inverse_of` does, or nothing is changed."""

    @property
    def declared(self) -> ChangeKind:
        """What it declares: what its kind does, unless it depends on the object."""
        return self.declares

    @property
    def target(self) -> ChangedObject | None:
        """The object that it is about; None where it is about none."""
        return None

    @property
    def any_replica(self) -> bool:
        """Whether it may take the last ready replica of a workload."""
        return False

    @property
    def needs_intent(self) -> bool:
        """Whether its intent is written before its request, so that after a crash its work is known for ours."""
        return True

    @property
    def relies_on(self) -> Change | None:
        """The change that has to be made before its container acts, as far as there is one."""
        return None

    @property
    def felt(self) -> str:
        """What people will feel of it, for whoever approves it; empty where it is nothing more than its name says."""
        return ""

    def begins_with(self, _pod: ApiObject) -> CollectorJob | None:
        """The container of ours that it would put into this pod at once; None where it puts in none, or looks before.

        `execute` may put it in before the steps that come before: `carry_out` finds it in the pod then.
        """
        return None

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Probe, intend, send one conditional request, verify. Raises RetryableError where a later try may succeed."""
        raise NotImplementedError


class PodChange(Change, frozen=True, kw_only=True):
    """A change of the pod with this UID."""

    namespace: str
    name: str
    uid: str

    @property
    def target(self) -> ChangedObject:
        """The pod."""
        return ChangedObject(kind="Pod", namespace=self.namespace, name=self.name, uid=self.uid)

    @property
    def pod_path(self) -> str:
        """Where the API server has it. Raises ApiError for a name that none can have."""
        return api_paths.pod(self.namespace, self.name)


@cache
def change_classes() -> dict[str, type[Change]]:
    """Every kind of change by the tag that stored changes carry, found by file name."""
    run = import_module(f"{__name__}.cloud_run")
    listed = ((__name__, __path__), (run.__name__, run.__path__))
    modules = [import_module(f"{package}.{module.name}") for package, path in listed for module in iter_modules(path)]
    return {str(item.__struct_config__.tag): item for module in modules for item in _changes_in(module)}


def _changes_in(module: ModuleType) -> Iterator[type[Change]]:
    for item in vars(module).values():
        if isinstance(item, type) and issubclass(item, Change) and "declares" in vars(item):  # no base of kinds
            yield item


def stored(change: Change | None) -> dict[str, Any]:
    """The change as the journal stores and returns it: lists, not tuples. Empty for none."""
    return {} if change is None else read_json(msgspec.json.encode(change), dict[str, Any])


def restored(data: Mapping[str, Any]) -> Change:
    """The change that the journal stored. Raises msgspec.ValidationError for what this version cannot read."""
    change: Change = msgspec.convert(data, resolved(reduce(or_, change_classes().values())))
    return change


def kind_of_stored(data: Mapping[str, Any]) -> ChangeKind | None:
    """What a stored change, perhaps one whose fields were left out, declares; None for one of a later version."""
    known = change_classes().get(str(data.get("change", "")))
    return known.declares if known else None


def observes_only(data: Mapping[str, Any]) -> bool:
    """Whether a stored change, perhaps one whose fields were left out, changes nothing on its target."""
    kind = kind_of_stored(data)
    return kind is not None and kind.observes


def is_reversible(data: Mapping[str, Any]) -> bool:
    """Whether a stored change, perhaps one whose fields were left out, can be undone. One of a later version cannot."""
    kind = kind_of_stored(data)
    return kind is not None and kind.reversible


def owner_uid(data: Mapping[str, Any], target_uid: str) -> str:
    """The UID that a case is bound to by a stored change: of a revision or execution, that of its service or job.

    A revision that is deleted is no part of its service any more. `target_uid` stands in where fields were left out.
    """
    is_on_run = (kind := kind_of_stored(data)) is not None and kind.disrupts is Disruption.SERVICES
    return str(data.get("uid", target_uid)) if is_on_run else target_uid


def is_about_node(data: Mapping[str, Any]) -> bool:
    """Whether a stored change, perhaps one whose fields were left out, is about a node."""
    return data.get("kind") == "Node"
