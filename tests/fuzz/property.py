"""What must hold of any bytes that arrive as a notification."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import msgspec

from scc_responder.actions import actions
from scc_responder.domain.errors import OversizeMessage, RejectedMessage
from scc_responder.domain.finding import Finding
from scc_responder.domain.text import MAX_TEXT_BYTES, visible
from scc_responder.intake.envelope import open_envelope
from scc_responder.intake.notification import content_digest, parse_notification
from scc_responder.intake.threats import UNKNOWN, catalogue, in_scope
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.explanation import ContextFacts, context_of, explain_context
from tests.findings.expected import shipped_policies

_REASON = re.compile(r"[a-z][a-z0-9_]{2,40}")


@cache
def _names() -> frozenset[str]:
    return frozenset({UNKNOWN, *(row.name for row in catalogue())})


@cache
def _policies() -> PolicySet:
    return shipped_policies()


def delivered(body: bytes) -> str:
    """What a delivery of this body comes to. Raises AssertionError where something does not hold."""
    try:
        return examined(open_envelope(body, {}).data)
    except OversizeMessage as error:
        return named(error.reason)
    except RejectedMessage as error:
        return named(error.reason)


def examined(content: bytes) -> str:
    """What a notification comes to: a named reason, or a threat that is in the catalogue or unknown.

    A finding holds only visible, bounded text, survives storage, and is decided upon; raises AssertionError.
    """
    try:
        finding = parse_notification(content)
    except RejectedMessage as error:
        return named(error.reason)
    stored = msgspec.json.encode(finding)
    assert msgspec.json.decode(stored, type=Finding) == finding
    hidden = [
        text for text in _strings(json.loads(stored)) if len(text.encode()) > MAX_TEXT_BYTES or visible(text) != text
    ]
    assert hidden == []
    assert len(stored) < 4 * len(content) + 20_000
    assert len(content_digest(finding)) == 64
    beyond = in_scope(finding)
    return named(beyond) if beyond else _decided(finding)


def named(reason: str) -> str:
    """The reason, if it is one word for the record."""
    assert _REASON.fullmatch(reason), reason
    return reason


OBSERVING = {name for name, action in actions().items() if action.observes}


def _decided(finding: Finding) -> str:
    context = context_of(finding, ContextFacts())
    told = explain_context(context, _policies(), finding.event_time)
    assert context.threat.name in _names()
    acting = [action for policy in told["policies"] for action in policy["actions"] if action["result"] == "planned"]
    assert {action["action"] for action in acting} <= OBSERVING, "acts without having read a pod"
    assert json.dumps(told, allow_nan=False).isascii()
    return context.threat.name


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for text in _strings(list(pair))]
    return [text for item in value for text in _strings(item)] if isinstance(value, list) else []
