"""What `when` and `unless` cannot say: a policy's `condition`, one CEL expression over the context.

Missing data satisfies neither a condition nor its negation: an unknown fact is absent, and using it is an error. Fields
and types were checked when the policy was read; here they are plain maps. Source: the Common Expression Language
(cel.dev).

    pod.labels["tier"] == "web" && finding.processes.exists(p, p.binary.startsWith("/tmp/"))
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

import msgspec

from scc_responder.domain import context as contexts
from scc_responder.domain import finding
from scc_responder.domain.context import Context, LiveLook
from scc_responder.domain.finding import (
    AgentTarget,
    Connection,
    Finding,
    FindingFile,
    KubernetesObject,
    Process,
    Threat,
)
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import MAX_TEXT_BYTES, TRUNCATED, LatePattern
from scc_responder.intake import activity, agent, named_objects
from scc_responder.intake.threats import CONFIDENCES
from scc_responder.policy.cel_parts import OVER_BUDGET, ConditionInParts

NOT_TOLD = frozenset({"missing", "objects", "texts", "refused", "node_identity"})
"""Fields of the context that a condition may not use.

What is missing satisfies nothing, objects and texts are evidence, and whether the node is the finding's is for the
steps that change it.
"""
NOT_TOLD_OF: dict[type, frozenset[str]] = {LiveLook: frozenset({"unshared", "node_pool"})}
"""The same of records: these are looked at once a disruption is planned."""
RENAMED = {"namespace": "namespace_object"}
"""`namespace` is a reserved word of CEL; Kubernetes' admission policies say `namespaceObject`."""

_KNOWN_EMPTY: dict[type, set[str]] = {Finding: {"contradictions", "truncated"}, Threat: {"raised_by"}}
"""Lists in a finding whose emptiness is a fact. Every other empty list means "not set"."""

_MOST: dict[type, dict[str, int]] = {
    Finding: {
        "marks": activity.MAX_MARKS,
        "links": activity.MAX_LINKS,
        "indicators": activity.MAX_INDICATORS,
        "mitre_techniques": activity.MAX_TECHNIQUES,
        "contacts": activity.MAX_CONTACTS,
        "objects": named_objects.MAX_OBJECTS,
        "access_reviews": named_objects.MAX_OBJECTS,
    },
    Process: {"libraries": activity.MAX_FILES, "library_files": activity.MAX_FILES},
    FindingFile: {"operations": activity.MAX_FILES},
    KubernetesObject: {"subjects": named_objects.MAX_SUBJECTS},
    AgentTarget: {"sessions": agent.MAX_SESSIONS, "detectors": agent.MAX_DETECTORS},
}
"""How much of a list the reader keeps: one of so many items may have had more. `truncated` tells of the others."""
_OF_OWNERS = {"pod": "owners", "live": "workload"}
"""What is not known of a fact where the owners of the pod could not all be read."""

_ZERO_IS_MISSING: dict[type, set[str]] = {Connection: {"destination_port", "source_port"}}
_FACTS = {RENAMED.get(name, name): name for name in Context.__struct_fields__ if name not in NOT_TOLD}
_AS_IT_IS = frozenset({str, int, bool, float, type(None)})
_MISSING = LatePattern(r'(?:No value with name|Key not found in map :) "([^"]+)"')


class CelFacts:
    """The known facts of a context, as CEL sees them: each made once for all policies of a decision. None: no facts."""

    def __init__(self, context: Context | None) -> None:
        self._context = context
        self._facts: dict[str, Any] = {}
        self._ready: dict[tuple[frozenset[str], bool], Any] = {}

    def activation(self, expression: str) -> Any:
        """The facts that an expression names, ready for its evaluation; an unknown one has no key."""
        asked = _named(expression), _counts(expression)
        if asked not in self._ready:
            self._ready[asked] = evaluator().Activation(self.known(expression))
        return self._ready[asked]

    def known(self, expression: str) -> dict[str, Any]:
        """The facts that an expression names, as far as they are known."""
        named = _named(expression)
        self._facts.update({name: self.fact(name) for name in named.difference(self._facts)})
        known = {name: self._facts[name] for name in named if self._facts[name] is not None}
        return _whole(known) if _counts(expression) else known

    def fact(self, name: str) -> Any:
        """A fact as nested maps, in which what is unknown has no key; None where nothing of it is known."""
        context = self._context
        known = _plain(getattr(context, _FACTS[name], None))
        if context is None or known is None:
            return None
        if name == "threat" and context.related is None:
            known.pop("raised_by", None)
            if context.threat.confidence != CONFIDENCES[-1]:
                known.pop("confidence", None)  # a related finding that could not be read might have raised it
        elif name == "identity" and context.pod is None and context.service is None and context.job is None:
            return None
        elif name in _OF_OWNERS and "owner" in context.missing:
            known.pop(_OF_OWNERS[name], None)
        elif name == "finding":
            for cut in context.finding.truncated:
                known.setdefault(cut, []).append(_UNKNOWN_ITEM)
        return known


def evaluate(expression: str, facts: CelFacts) -> Reason:
    """`matched`, `condition_differs`, or why it cannot be evaluated: `condition_pod_missing`, `condition_error`."""
    answer = condition_answer(expression, facts)
    if isinstance(answer, bool):
        return Reason.MATCHED if answer else Reason.CONDITION_DIFFERS
    missing = _MISSING.compiled.search(answer)
    if missing is None:
        return Reason.CONDITION_TOO_LARGE if OVER_BUDGET in answer else Reason.CONDITION_ERROR
    # A key of a map may be the attacker's text: only our own words stand in a reason.
    fact = missing[1] if missing[1] in _names() else "key"
    return Reason.CONDITION_MISSING.of(fact.removesuffix("_object"))


def condition_answer(expression: str, facts: CelFacts) -> bool | str:
    """Whether the condition holds, or what the library says of it: which key is missing, what cannot be computed."""
    condition = compiled(expression)
    try:
        value = condition.eval(activation=facts.activation(expression)).value()
    except (RuntimeError, ValueError, TypeError) as error:  # the library's own for a budget or text it cannot take
        value = error
    if isinstance(value, bool):
        return value
    too_long = OVER_BUDGET in str(value)
    return ConditionInParts(condition, evaluator()).answer(facts.known(expression)) if too_long else str(value)


@cache
def compiled(expression: str) -> Any:
    """The expression, ready to be evaluated. Raises RuntimeError with CEL's own message; compiled once."""
    return evaluator().compile(expression)


@cache
def evaluator() -> Any:
    """The environment that evaluates, on maps: an absent field is an error there, where a message has a default."""
    from cel_expr_python import cel  # noqa: PLC0415 - only a policy with a condition needs it
    from cel_expr_python.ext.ext_strings import ExtStrings  # noqa: PLC0415 - as above

    known = dict.fromkeys(_FACTS, cel.Type.DYN)
    return cel.NewEnv(variables=known, functions=[in_cidr_function(cel)], extensions=[ExtStrings()])


def in_cidr(address: str, network: str) -> bool:
    """Whether an IP address lies in a network: `ip.in_cidr`. Raises ValueError for what is neither: it is not known."""
    given = ip_address(address)
    return (getattr(given, "ipv4_mapped", None) or given) in ip_network(network)


def in_cidr_function(cel: Any) -> Any:
    """`ip.in_cidr`, as the library declares functions: for who checks and for who evaluates."""
    texts, label = [cel.Type.STRING] * 2, "ip_in_cidr"
    overload = cel.Overload(id=label, return_type=cel.Type.BOOL, parameters=texts, is_member=False, impl=in_cidr)
    return cel.FunctionDecl("ip.in_cidr", [overload])


@cache
def _named(expression: str) -> frozenset[str]:
    """The facts whose names stand in an expression, be it in a text of it."""
    return frozenset(re.findall(r"\w+", expression)).intersection(_FACTS)


@cache
def _counts(expression: str) -> bool:
    """Whether an expression may ask how long a list is."""
    return bool(re.search(r"\bsize\b", expression))


@cache
def _names() -> frozenset[str]:
    """Every word of our own facts."""
    kinds = [kind for module in (contexts, finding) for kind in vars(module).values() if isinstance(kind, type)]
    fields = [kind.__struct_fields__ for kind in kinds if issubclass(kind, msgspec.Struct)]
    return frozenset(RENAMED.values()).union(*fields)


def _plain(value: Any) -> Any:
    """The value as CEL takes it; None where it is not known."""
    if isinstance(value, msgspec.Struct):
        return _record(value)
    if isinstance(value, tuple | list):
        return [item if type(item) in _AS_IT_IS else _plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, datetime):
        from google.protobuf.timestamp_pb2 import Timestamp  # noqa: PLC0415 - only a condition needs it

        moment = Timestamp()
        moment.FromDatetime(value)
        return moment
    if isinstance(value, timedelta):
        from google.protobuf.duration_pb2 import Duration  # noqa: PLC0415 - as above

        length = Duration()
        length.FromTimedelta(value)
        return length
    return str(value) if isinstance(value, str) else value


def _record(record: msgspec.Struct) -> dict[str, Any]:
    """The fields of a record that are known: not None, no empty text, nor what else means "not set" in it."""
    kind = type(record)
    unset = kind.__module__ == finding.__name__
    known_empty, zeros = _KNOWN_EMPTY.get(kind, ()), _ZERO_IS_MISSING.get(kind, ())
    known = {}
    for name in kind.__struct_fields__:
        value = getattr(record, name)
        if value or not (
            value is None or value == "" or (unset and value in ((), {}) and name not in known_empty) or name in zeros
        ):
            known[name] = value if type(value) in _AS_IT_IS else _plain(value)
    if unset:
        _without_cut(record, known)
    return known


_UNKNOWN_ITEM: dict[str, Any] = {}
"""What was left out of a list of records: nothing is known of it."""


def _whole(value: Any) -> Any:
    """The value without lists of which something was left out: how long they are is not known."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items() if not _has_unknown(item)}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _has_unknown(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and value[-1] is _UNKNOWN_ITEM


def _without_cut(record: msgspec.Struct, known: dict[str, Any]) -> None:
    """Take away what was cut of a record in a finding: a text that is not there could be any."""
    most = _MOST.get(type(record), {})
    for name in [name for name, value in known.items() if _is_cut(value, most.get(name, 0))]:
        if name in most and known[name] and isinstance(known[name], list) and isinstance(known[name][0], dict):
            known[name].append(_UNKNOWN_ITEM)
        else:
            del known[name]
    if isinstance(record, Process) and record.args_truncated:
        known.pop("args", None)


def _is_cut(value: Any, most: int) -> bool:
    """Whether a text, a text of a list, or a list of at most so many items is not whole."""
    if isinstance(value, str):
        return value.endswith(TRUNCATED) and len(value.encode()) > MAX_TEXT_BYTES - 4
    if isinstance(value, list) and value and isinstance(value[0], str):
        return bool(most and len(value) >= most) or any(_is_cut(item, 0) for item in value)
    return bool(most) and isinstance(value, list | dict) and len(value) >= most
