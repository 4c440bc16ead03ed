"""Which of many policies can match a finding, by the words of its threat: looked at once for each threat. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from scc_responder.domain.context import Context
from scc_responder.domain.finding import Threat
from scc_responder.domain.mode import Mode
from scc_responder.policy.decide import Decision, decide
from scc_responder.policy.policy_set import Policy

CLOSED = frozenset({"threat", "detector", "kind", "surface", "severity"})
"""The conditions that ask for words of the threat alone."""

MOST_THREATS = 2_000
"""More different threats than these are not remembered together."""

Words = tuple[str, ...]
"""The words of a threat that these conditions ask for."""


class PolicyIndex:
    """Policies by the threats that they can match. The order of the policies stays."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._policies = [policy for policy in policies if policy.furthest != Mode.DISABLED]
        self._known: dict[Words, tuple[Policy, ...]] = {}

    def matched(self, context: Context) -> Decision:
        """The decisions of the policies that match: those that `decide` gives as well."""
        decided = decide(context, self._candidates(context)).policies
        return Decision(policies=tuple([policy for policy in decided if policy.matched]))

    def _candidates(self, context: Context) -> tuple[Policy, ...]:
        words = _words(context.threat)
        if words not in self._known:
            if len(self._known) >= MOST_THREATS:
                self._known.clear()
            self._known[words] = tuple(one for one in self._policies if _may_match(one, context))
        return self._known[words]


def _words(threat: Threat) -> Words:
    return threat.name, threat.detector, threat.kind, threat.surface, threat.severity


def _may_match(policy: Policy, context: Context) -> bool:
    """Whether the conditions on the threat's words hold, and no word of it is excepted."""
    wanted = all(holds(context) for name, holds in policy.when.conditions if name in CLOSED)
    return wanted and all(holds(context) is False for name, holds in policy.unless.conditions if name in CLOSED)
