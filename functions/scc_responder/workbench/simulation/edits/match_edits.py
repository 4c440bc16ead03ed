"""What an edit of `when` or `unless` changes, condition by condition, and whether more is met by it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scc_responder.domain.wildcards import matcher
from scc_responder.intake.threats import fold
from scc_responder.policy.match import Match, Severity, as_tuple
from scc_responder.workbench.policy_files.pattern_words import all_within
from scc_responder.workbench.policy_files.rule_mistakes import VOCABULARIES
from scc_responder.workbench.simulation.edits.edit import Edit, field_edit


def when_edits(before: Match, after: Match) -> Iterator[Edit]:
    """The conditions of `when` that differ: it widens where one is gone, or met by more."""
    for name, was, now in _both(before, after):
        narrower = was is None or (now is not None and _is_within(name, now, was))
        yield from field_edit(f"when.{name}", was, now, widens=not narrower)


def unless_edits(before: Match, after: Match) -> Iterator[Edit]:
    """The conditions of `unless` that differ: it widens where one is gone, or met by less."""
    for name, was, now in _both(before, after):
        narrower = was is None or (now is not None and _is_within(name, was, now))
        yield from field_edit(f"unless.{name}", was, now, widens=not narrower)


def _both(before: Match, after: Match) -> Iterator[tuple[str, Any, Any]]:
    """Each condition that differs; one pattern is a list of one."""
    for name in before.__struct_fields__:
        was, now = getattr(before, name), getattr(after, name)
        if _listed(was) != _listed(now):
            yield name, was, now


def _listed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _listed(part) for key, part in value.items()}
    return (value,) if isinstance(value, str) else value


def _is_within(name: str, narrow: Any, wide: Any) -> bool:
    """Whether whatever meets the first condition meets the other; where that cannot be told, no."""
    if name == "severity":
        order = tuple(Severity)
        return order.index(narrow) >= order.index(wide)
    if name == "labels":
        return _labels_within(narrow, wide)
    first, second = as_tuple(narrow), as_tuple(wide)
    if name == "category":
        first, second = (tuple(map(fold, patterns)) for patterns in (first, second))
    if name in VOCABULARIES:
        words = [word for word in VOCABULARIES[name]() if matcher(first)(word)]
        return all(map(matcher(second), words))
    return all_within(first, second)


def _labels_within(narrow: Mapping[str, Any], wide: Mapping[str, Any]) -> bool:
    return all(key in narrow and all_within(as_tuple(narrow[key]), as_tuple(value)) for key, value in wide.items())
