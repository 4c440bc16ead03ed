"""Patterns and names that can match nothing, wherever they stand: `when`, `unless` and every part of guardrails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.match import Match, Patterns, as_tuple
from scc_responder.policy.routes import RouteRule
from scc_responder.workbench.policies.meaning.odd_characters import disguised_character, odd_character
from scc_responder.workbench.policies.meaning.pattern_forms import (
    LABEL_VALUE,
    MATCH_FORMS,
    RAIL_FORMS,
    PatternForm,
    form_mistake,
    key_mistake,
)
from scc_responder.workbench.policies.meaning.people_forms import approver_mistake, principal_mistake
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake

NEVER_MATCHES = "never_matches"
ODD_CHARACTER = "odd_character"
_VALUE = PatternForm(
    LABEL_VALUE.may_meet, "a label's value is at most 63 letters, digits, '-', '_' and '.', with no '/'"
)
_PATTERN_TEXTS = ("threat", "category", "detector", "kind", "confidence", "surface")


def match_pattern_mistakes(match: Match, path: DocumentPath) -> Iterator[Mistake]:
    """Of `when`, `unless`, or an exemption's `when`. What is empty is told where the file is loaded."""
    for name, value in match.given().items():
        if name == "labels":
            yield from label_mistakes(value, (*path, name))
        elif name == "principal":
            yield from _each(value, (*path, name), principal_mistake)
        elif name in MATCH_FORMS:
            yield from _each(value, (*path, name), partial(form_mistake, MATCH_FORMS[name]))
        elif name in _PATTERN_TEXTS:
            yield from _each(value, (*path, name), lambda _: "")


def guardrails_pattern_mistakes(rails: Guardrails) -> Iterator[Mistake]:
    """Of every list of patterns and people in guardrails."""
    for field in (*RAIL_FORMS, "principals"):
        yield from _rail(getattr(rails.protected, field), ("protected", field), field)
    for index, ceiling in enumerate(rails.ceilings):
        for field in ("clusters", "namespaces"):
            yield from _rail(getattr(ceiling, field), ("ceilings", index, field), field)
    for index, quiet in enumerate(rails.quiet_hours):
        yield from _rail(quiet.clusters, ("quiet_hours", index, "clusters"), "clusters")
    for index, environment in enumerate(rails.environments):
        yield from _rail(environment.clusters, ("environments", index, "clusters"), "clusters")
    for index, exemption in enumerate(rails.exemptions):
        yield from match_pattern_mistakes(exemption.when, ("exemptions", index, "when"))
    yield from _rail(rails.keep_serving, ("keep_serving",), "workloads")
    yield from _each(rails.approval.approvers, ("approval", "approvers"), approver_mistake)


def rule_pattern_mistakes(rule: RouteRule, path: DocumentPath) -> Iterator[Mistake]:
    """Of a rule of routes. Of Cloud Run it names the project alone; an owner is whatever text a label says."""
    for field in ("owner", "namespace", "cluster", "kind"):
        wanted = getattr(rule, field)
        if wanted is not None and not all((wanted, *as_tuple(wanted))):
            text = "empty, so that the rule never fits; write it, or remove it"
            yield Mistake(path=(*path, field), text=text, reason=NEVER_MATCHES)
    yield from _each(rule.namespace or (), (*path, "namespace"), partial(form_mistake, MATCH_FORMS["namespace"]))
    for index, pattern in enumerate(as_tuple(rule.cluster or ())):
        if pattern.count("/") > 1:
            place = (*path, "cluster") if isinstance(rule.cluster, str) else (*path, "cluster", index)
            yield from _one(pattern, place, partial(form_mistake, MATCH_FORMS["cluster"]))
    for owner in as_tuple(rule.owner or ()):
        odd = disguised_character(owner) or (odd_character(owner) if owner.strip() != owner else "")
        if odd:
            yield Mistake(path=(*path, "owner"), text=odd, reason=ODD_CHARACTER)


def cluster_mistakes(patterns: tuple[str, ...], path: DocumentPath) -> Iterator[Mistake]:
    """Of a list of clusters in which a policy has a mode of its own."""
    return _rail(patterns, path, "clusters")


def label_mistakes(labels: dict[str, Patterns], place: DocumentPath) -> Iterator[Mistake]:
    """Of labels by key, each with one pattern or several."""
    for key, value in labels.items():
        yield from _one(key, (*place, key), key_mistake)
        yield from _each(value, (*place, key), partial(form_mistake, _VALUE))


def _rail(patterns: tuple[str, ...], place: DocumentPath, field: str) -> Iterator[Mistake]:
    told = principal_mistake if field == "principals" else partial(form_mistake, RAIL_FORMS[field])
    return _each(patterns, place, told)


def _each(value: str | tuple[str, ...], place: DocumentPath, told: Callable[[str], str]) -> Iterator[Mistake]:
    for index, pattern in enumerate(as_tuple(value)):
        if pattern:
            yield from _one(pattern, place if isinstance(value, str) else (*place, index), told)


def _one(pattern: str, place: DocumentPath, told: Callable[[str], str]) -> Iterator[Mistake]:
    """A character that nobody sees is the cause of everything else that is wrong with a pattern."""
    odd = odd_character(pattern)
    text = odd or told(pattern)
    if text:
        yield Mistake(path=place, text=text, reason=ODD_CHARACTER if odd else NEVER_MATCHES)
