"""What `scc-responder explain` says of a golden, reduced to what decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.explanation import explain, read_facts
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.shipped_pack import PACK

OTHER_THREAT = "when_threat_differs"
"""Why a policy does not match a finding that it is not about. The others' reasons are what a reviewer looks for."""


def shipped_policies() -> PolicySet:
    """The policies that come with the product."""
    return load_policies(PACK)


def expected(content: bytes, context: Mapping[str, Any] | None, policies: PolicySet) -> dict[str, Any]:
    """The decision on a golden, as `explain` would print it, reduced."""
    facts = read_facts(msgspec.json.encode(context or {}), "context")
    return reduced(explain(content, facts, policies))


def reduced(told: Mapping[str, Any]) -> dict[str, Any]:
    """What `explain --format json` prints, without what is in the finding or context anyway.

    `does` has what the policies that match do; `not` has the others, by why they do not match, but for those that are
    about other threats: a policy more or less then changes no decision but those that it is about.
    """
    if told["rejected"]:
        return {"rejected": told["rejected"]}
    threat = told["threat"]
    does = {policy["name"]: _does(policy) for policy in told["policies"] if policy["matched"]}
    others: dict[str, list[str]] = {}
    for policy in told["policies"]:
        if not policy["matched"] and policy["reason"] != OTHER_THREAT:
            others.setdefault(policy["reason"], []).append(policy["name"])
    return {
        "rejected": None,
        "threat": {name: threat[name] for name in ("name", "surface", "confidence", "severity")},
        "identity": f"{told['context']['identity']['level']}: {told['context']['identity']['reason']}",
        "contradictions": list(told["finding"]["contradictions"]),
        "does": does,
        "not": others,
    }


def _does(policy: Mapping[str, Any]) -> dict[str, str]:
    return {action["action"]: _said(action) for action in policy["actions"]}


def _said(action: Mapping[str, Any]) -> str:
    return action["result"] if action["reason"] == action["result"] else f"{action['result']}: {action['reason']}"
