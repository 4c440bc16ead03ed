"""Which action would be taken on which target, and how that differs between two sets of policies. Pure.

Reach is what actions do to targets, and in which mode: that another policy now does the same is no change. Actions that
only observe reach nobody.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.changes import Change
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.text import visible
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
    def words(self) -> tuple[str, ...]:
        """Its identity, field by field."""
        return (self.cluster, self.kind, self.namespace, self.name, self.uid)

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
    return AffectedObject(
        cluster=cluster.path if cluster else context.finding.resource_name,
        kind=target.kind if target else "",
        namespace=target.namespace if target else "",
        name=target.name if target else "",
        uid=target.uid if target else "",
    )


class Numbers:
    """A number for each thing, which is told by words; None beyond a bound."""

    def __init__(self, most: int = MAX_TARGETS) -> None:
        self._most = most
        self._numbers: dict[str, int] = {}
        self.full = False

    def of(self, *words: str) -> int | None:
        """The thing's number, a new one where it has none."""
        thing = "\0".join(words)
        if thing.count("\0") >= len(words):
            thing = "\0".join(map(visible, words))
        number = self._numbers.get(thing)
        if number is None and len(self._numbers) < self._most:
            number = self._numbers[thing] = len(self._numbers)
        self.full = self.full or number is None
        return number

    def things(self) -> Iterator[tuple[str, ...]]:
        """The words of everything that has a number, in its order."""
        return (tuple(thing.split("\0")) for thing in self._numbers)


class Impact:
    """What was done, or would have been, to each target, in the furthest mode: four bytes for each action on each."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._actions = tuple(actions())
        self._policies: dict[str, int] = {}
        self._found = array("L")

    def add(self, policy: PolicyDecision, found: Effects) -> None:
        """Note what one policy does."""
        reaching = _MODES.index(policy.mode) + len(_MODES) * self._policies.setdefault(policy.name, len(self._policies))
        for action, target in found:
            number = self._numbers.of(*target.words)
            if number is not None:
                self._note(number * len(self._actions) + self._actions.index(action), reaching + 1)

    def _note(self, key: int, reaching: int) -> None:
        if key >= len(self._found):
            self._found.extend([0] * (key + 1 - len(self._found)))
        former = self._found[key]
        if not former or (reaching - 1) % len(_MODES) > (former - 1) % len(_MODES):
            self._found[key] = reaching

    def entries(self) -> Iterator[tuple[AffectedObject, str, Mode | None, str]]:
        """Every target and action; the furthest mode and the policy that goes so far, None where none does."""
        policies = tuple(self._policies)
        for number, words in enumerate(self._numbers.things()):
            if len(words) != len(AffectedObject.__struct_fields__):
                continue
            target = AffectedObject(**dict(zip(AffectedObject.__struct_fields__, words, strict=True)))
            for index, action in enumerate(self._actions):
                key = number * len(self._actions) + index
                reaching = self._found[key] if key < len(self._found) else 0
                policy, mode = divmod(reaching - 1, len(_MODES))
                yield (target, action, _MODES[mode], policies[policy]) if reaching else (target, action, None, "")


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
    """What one set reaches and the other does not, and where one goes further. Both have the same numbers."""
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
