"""Which action would be taken on which target, and how that differs between two sets of policies. Pure.

Reach is what actions do to targets, and in which mode: that another policy now does the same is no change. Actions that
only observe reach nobody.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.changes import Change
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.value import Value
from scc_responder.policy.decide import ActionResult, PolicyDecision

MAX_TARGETS = 100_000
"""More targets than these are not distinguished, and a change then counts as widening."""

_MODES = tuple(Mode)


class AffectedObject(Value, frozen=True, kw_only=True):
    """An object that an action changes."""

    cluster: str
    kind: str
    namespace: str
    name: str
    uid: str = ""

    @property
    def shown(self) -> str:
        """What a person calls it: `Pod shop/web-1 in prod-1`."""
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        place = self.cluster.rpartition("/")[2]
        return f"{self.kind} {name}" + (f" in {place}" if place else "")


Effects = tuple[tuple[str, AffectedObject], ...]
"""What a policy changes, as (action, target)."""


def effects(context: Context, policy: PolicyDecision) -> Effects:
    """The targets that each planned action changes; actions that only observe change none."""
    known = actions()
    changing = (
        item for item in policy.actions if item.result == ActionResult.PLANNED and not known[item.action].observes
    )
    found = ((item.action, _target(context, change)) for item in changing for change in item.changes)
    return tuple(dict.fromkeys(found))


def _target(context: Context, change: Change) -> AffectedObject:
    cluster, target = context.finding.cluster, change.target
    # On Cloud Run the name of what is changed is its whole path.
    elsewhere = "" if context.finding.cloud_run and target else context.finding.resource_name
    return AffectedObject(
        cluster=cluster.path if cluster else elsewhere,
        kind=target.kind if target else "",
        namespace=target.namespace if target else "",
        name=target.name if target else "",
        uid=target.uid if target else "",
    )


class BoundedSet:
    """Targets, namespaces and workloads, at most `most` of them together. What comes after is not distinguished.

    Each has a number: sets of numbers are small, and quick to add to.
    """

    def __init__(self, most: int = MAX_TARGETS) -> None:
        self._most = most
        self._numbers: dict[Hashable, int] = {}
        self.full = False

    def add(self, member: Hashable) -> int | None:
        """The member's number, the same for all that are equal; None once the set is full."""
        number = self._numbers.get(member)
        if number is None and len(self._numbers) < self._most:
            number = self._numbers[member] = len(self._numbers)
        self.full = self.full or number is None
        return number

    def targets(self) -> Iterator[tuple[int, AffectedObject]]:
        """The targets with their numbers, in the order in which they came."""
        return ((number, member) for member, number in self._numbers.items() if isinstance(member, AffectedObject))


class Impact:
    """What was done, or would have been, to each target: the furthest mode, and the first policy that goes so far."""

    def __init__(self, known: BoundedSet) -> None:
        self._known = known
        self._found: dict[str, dict[int, tuple[Mode, str]]] = {action: {} for action in actions()}

    def add(self, policy: PolicyDecision, found: Effects) -> None:
        """Note what one policy does."""
        for action, target in found:
            number = self._known.add(target)
            former = None if number is None else self._found[action].get(number)
            further = former is None or _MODES.index(policy.mode) > _MODES.index(former[0])
            if number is not None and further:
                self._found[action][number] = policy.mode, policy.name

    def entries(self) -> Iterator[tuple[AffectedObject, str, Mode | None, str]]:
        """Every target and action; the furthest mode and the policy that goes so far, None where none does."""
        for number, target in self._known.targets():
            for action, found in self._found.items():
                yield target, action, *found.get(number, (None, ""))


class Difference(Value, frozen=True, kw_only=True):
    """One action on one target that is `added`, `removed`, `raised` or `lowered`. An empty mode is none.

    `behind_limits`: only the limits keep it from showing.
    """

    kind: str
    target: AffectedObject
    action: str
    policy: str
    before: str
    after: str
    behind_limits: bool = False

    @property
    def counted_as(self) -> str:
        """Its kind, those behind limits on their own."""
        return f"{self.kind}_behind_limits" if self.behind_limits else self.kind


def differences(after: Impact, before: Impact) -> Iterator[Difference]:
    """What one set reaches and the other does not, and where one goes further. Both know the same targets."""
    return filter(None, _changes(after, before))


def behind_limits(shown: tuple[Impact, Impact], whole: tuple[Impact, Impact]) -> Iterator[Difference]:
    """What differs in the whole of (after, before), and does not in what limits let show of them."""
    for seen, full in zip(_changes(*shown), _changes(*whole), strict=True):
        if full and (seen is None or seen.kind != full.kind):
            yield replace(full, behind_limits=True)


def _changes(after: Impact, before: Impact) -> Iterator[Difference | None]:
    """What differs of each target and action, None where nothing does."""
    for (target, action, mode, policy), (_, _, former, former_policy) in zip(
        after.entries(), before.entries(), strict=True
    ):
        if mode == former:
            yield None
            continue
        yield Difference(
            kind=_kind(mode, former),
            target=target,
            action=action,
            policy=policy or former_policy,
            before=str(former or ""),
            after=str(mode or ""),
        )


def _kind(mode: Mode | None, former: Mode | None) -> str:
    if mode is None or former is None:
        return "added" if former is None else "removed"
    return "raised" if _MODES.index(mode) > _MODES.index(former) else "lowered"
