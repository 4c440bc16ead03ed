"""Answers that may be unknown, and label selectors answered so. Pure. Source: meta/v1 LabelSelector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any


class Certainty(StrEnum):
    """Whether something holds, as far as it can be shown."""

    NO = "no"
    UNKNOWN = "unknown"
    YES = "yes"


def certain(holds: object) -> Certainty:
    """What is known to hold, or not to."""
    return Certainty.YES if holds else Certainty.NO


def all_of(answers: Iterable[Certainty]) -> Certainty:
    """Whether all of them hold; of none, yes.

    >>> str(all_of([Certainty.YES, Certainty.UNKNOWN])), str(all_of([Certainty.NO, Certainty.UNKNOWN]))
    ('unknown', 'no')
    """
    return min(answers, key=list(Certainty).index, default=Certainty.YES)


def any_of(answers: Iterable[Certainty]) -> Certainty:
    """Whether one of them holds; of none, no.

    >>> str(any_of([Certainty.NO, Certainty.UNKNOWN])), str(any_of([]))
    ('unknown', 'no')
    """
    return max(answers, key=list(Certainty).index, default=Certainty.NO)


def _closed(_key: str) -> bool:
    return False


_OPERATORS: Mapping[str, Callable[[str | None, Any], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _values: value is not None,
    "DoesNotExist": lambda value, _values: value is None,
}


def matches_labels(
    selector: Mapping[str, Any] | None, labels: Mapping[str, str], is_open: Callable[[str], bool] = _closed
) -> Certainty:
    """Whether a label selector matches. An empty one matches everything; what none at all means is unknown.

    `is_open` says of a key that `labels` lacks whether the object may have it all the same.

    >>> str(matches_labels({"matchLabels": {"app": "web"}}, {"app": "web"})), str(matches_labels(None, {}))
    ('yes', 'unknown')
    """
    if selector is None:
        return Certainty.UNKNOWN
    wanted = [(key, "In", [value]) for key, value in (selector.get("matchLabels") or {}).items()]
    wanted += [
        (item["key"], item["operator"], item.get("values") or []) for item in selector.get("matchExpressions") or ()
    ]
    return all_of(_requirement(key, operator, values, labels, is_open) for key, operator, values in wanted)


def _requirement(
    key: str, operator: str, values: list[str], labels: Mapping[str, str], is_open: Callable[[str], bool]
) -> Certainty:
    if operator not in _OPERATORS or (key not in labels and is_open(key)):
        return Certainty.UNKNOWN
    return certain(_OPERATORS[operator](labels.get(key), values))
