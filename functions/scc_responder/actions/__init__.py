"""The actions a policy may ask for: one file each, found by file name. An action plans, it does not act.

In: a `Context` and the step's parameters. Out: changes, or a `Skip` (there is nothing to do) or a `Hold` (it may not be
done), each with a named reason. This page is the contract; read `isolate_pod.py` for an example.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated, Any, TypeVar

import msgspec

from scc_responder.domain.changes import Change, ChangeKind, Disruption
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.context import Context, Pod
from scc_responder.domain.kubernetes.wanted_processes import named_container
from scc_responder.domain.permissions import Permissions, merged
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import StrictValue, Value


class Params(StrictValue, frozen=True, kw_only=True):
    """The `with:` of one step. Unknown parameters are refused."""


Allowance = Annotated[bool, msgspec.Meta(extra={"widest": True})]
"""A parameter that lets an action do more. `widest`: with which value it does most; an edit towards it widens."""


class NoParams(Params, frozen=True, kw_only=True):
    """For actions that take none."""


class Skip(Value, frozen=True, kw_only=True):
    """There was nothing to do, and why (`already_cordoned`)."""

    reason: Reason


class Hold(Value, frozen=True, kw_only=True):
    """It may not be done, and why (`pod_static`, `identity_not_proved`)."""

    reason: Reason


Planned = Sequence[Change] | Skip | Hold


def without_revision(context: Context) -> Skip | Hold:
    """The plan of an action on a service of which no revision is meant: Skip if the service is gone, else Hold."""
    return _without(context, ("service", "revisions", "revision"), Reason.REVISION_NOT_KNOWN)


def without_execution(context: Context) -> Skip | Hold:
    """The plan of an action on a job of which no execution is meant: Skip if the job is gone, else Hold."""
    return _without(context, ("job", "executions", "execution"), Reason.EXECUTION_NOT_KNOWN)


def _without(context: Context, facts: Sequence[str], unknown: Reason) -> Skip | Hold:
    missing = next((context.missing[fact] for fact in facts if fact in context.missing), None)
    reason = unknown if missing is None else Reason.read(missing) or Reason.SERVICE_UNREADABLE
    return Skip(reason=reason) if reason == Reason.TARGET_ABSENT else Hold(reason=reason)


def without_pod(context: Context) -> Skip | Hold:
    """The plan of an action on a pod that was not read: Skip if the pod is gone, else Hold."""
    reason = context.pod_missing
    return Skip(reason=reason) if reason == Reason.TARGET_ABSENT else Hold(reason=reason)


def in_named_container(context: Context, change: Callable[[Pod, str], Change]) -> Planned:
    """The plan of an action in the container that the finding names: `change` of its pod and its name, or why none."""
    if (pod := context.pod) is None:
        return without_pod(context)
    container = named_container(context.finding, pod)
    return [change(pod, container)] if container else Skip(reason=Reason.CONTAINER_ABSENT)


P = TypeVar("P", bound=Params)


class Action(Value, frozen=True, kw_only=True):
    """One thing a policy may ask for.

    `makes` are the kinds of change that it plans: what it needs, disrupts and observes, and whether it can be undone,
    follows from them. `needs_identity` asks that the pod be at least likely the finding's own. `against` is what it is
    against an attacker; None for what observes or marks.
    """

    name: str
    plan: Callable[[Context, Any], Planned]
    params: type[Params]
    makes: tuple[ChangeKind, ...]
    needs_identity: bool
    permissions: Permissions
    reversible: bool
    observes: bool
    tells: bool
    ends_pod: bool
    detaches_pod: bool
    asks_budgets: bool
    keeps_files: bool
    asks_person: bool
    disrupts: Disruption
    against: Countermeasure | None

    @property
    def takes_replica(self) -> bool:
        """Whether its workload has a pod less until it makes another."""
        return self.disrupts is Disruption.PODS and (self.detaches_pod or not self.reversible)


def action(
    *,
    params: type[P],
    makes: Sequence[ChangeKind],
    needs_identity: bool = False,
    against: Countermeasure | None = None,
) -> Callable[[Callable[[Context, P], Planned]], Action]:
    """Declare a planning function as the action of its own name. Its docstring is the user's documentation."""

    def declare(plan: Callable[[Context, P], Planned]) -> Action:
        return Action(
            name=plan.__name__,
            plan=plan,
            params=params,
            makes=tuple(makes),
            needs_identity=needs_identity,
            permissions=merged(*(kind.permissions for kind in makes)),
            reversible=all(kind.reversible for kind in makes),
            observes=all(kind.observes for kind in makes),
            tells=all(kind.tells for kind in makes),
            ends_pod=any(kind.ends_pod for kind in makes),
            detaches_pod=any(kind.detaches_pod for kind in makes),
            asks_budgets=any(kind.asks_budgets for kind in makes),
            keeps_files=any(kind.keeps_files for kind in makes),
            asks_person=any(kind.asks_person for kind in makes),
            disrupts=next((kind.disrupts for kind in makes if kind.disrupts), Disruption.NOTHING),
            against=against,
        )

    return declare


@cache
def actions() -> dict[str, Action]:
    """Every action by name, found by file name."""
    cloud_run = import_module(f"{__name__}.cloud_run")
    places = {
        module.name: package.__name__
        for package, path in ((import_module(__name__), __path__), (cloud_run, cloud_run.__path__))
        for module in iter_modules(path)
        if not module.ispkg
    }
    return {name: getattr(import_module(f"{places[name]}.{name}"), name) for name in sorted(places)}


class AllowedKeys(StrictValue, frozen=True, kw_only=True):
    """Label and annotation keys outside our prefix that policies may write; exact keys, no patterns."""

    labels: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
