"""Which facts the policies about one finding ask for, beyond those that are read for every finding. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from scc_responder.domain.asked_facts import AskedFact
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.text import LatePattern
from scc_responder.policy.decide import why_not
from scc_responder.policy.policy_set import Policy

_LIVE = LatePattern(r"\blive\b(?:\s*\.\s*(\w+))?")


@lru_cache(maxsize=4096)
def named_facts(condition: str) -> frozenset[AskedFact]:
    """The facts whose names stand in a condition, be it in a text of it.

    >>> sorted(named_facts("live.workload.ready > 1 && google_identity != 'x'"))
    [<AskedFact.GOOGLE_IDENTITY: 'google_identity'>, <AskedFact.LIVE_WORKLOAD: 'live.workload'>]
    """
    found = {fact for fact in AskedFact if "." not in fact and re.search(rf"\b{fact}\b", condition)}
    for part in _LIVE.compiled.findall(condition):
        named = {fact for fact in AskedFact if fact == f"live.{part}"}
        found |= named or {AskedFact.LIVE_WORKLOAD, AskedFact.LIVE_BUDGETS}
    return frozenset(found)


def asked_by(policies: Iterable[Policy], context: Context) -> frozenset[AskedFact]:
    """What is asked by policies that would act on the finding but for what they ask."""
    found: set[AskedFact] = set()
    for policy in policies:
        asked = (
            named_facts(policy.condition) if policy.condition and policy.furthest is not Mode.DISABLED else frozenset()
        )
        if not asked <= found and why_not(context, policy) is None:
            found |= asked
    return frozenset(found)
