"""Calico's selector expressions: `app == 'web' && !has(canary)`. Pure. Source: Calico, "Selectors".

What is written with parentheses, or an operator that is not here, is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from scc_responder.domain.kubernetes.network_policies.certainty import Certainty, all_of, any_of, certain
from scc_responder.domain.text import LatePattern

_KEY = r"[A-Za-z0-9_./-]+"
_TEXT = r"'[^']*'|\"[^\"]*\""
_TERM = LatePattern(
    rf"\s*(?:(?P<all>all\(\s*\))|(?P<none>global\(\s*\))|(?P<hasnot>!\s*)?has\(\s*(?P<has>{_KEY})\s*\)"
    rf"|(?P<key>{_KEY})\s*(?P<operator>==|!=|(?:not\s+)?in(?=\s*\{{))\s*(?P<values>{_TEXT}|\{{[^{{}}]*\}}))\s*"
)
_VALUE = LatePattern(_TEXT)


def selects_expression(expression: str, labels: Mapping[str, str], is_open: Callable[[str], bool]) -> Certainty:
    """Whether the expression matches these labels; `is_open` as in `certainty.matches_labels`.

    >>> str(selects_expression("app == 'web' && !has(canary) || all()", {"app": "db"}, lambda key: False))
    'yes'
    """
    position, sums = 0, [[]]  # type: int, list[list[Certainty]]
    while (term := _TERM.compiled.match(expression, position)) is not None:
        sums[-1].append(_holds(term, labels, is_open))
        if term.end() == len(expression):
            return any_of(all_of(product) for product in sums)
        joint, position = expression[term.end() : term.end() + 2], term.end() + 2
        if joint == "||":
            sums.append([])
        elif joint != "&&":
            break
    return Certainty.UNKNOWN


def _holds(term: re.Match[str], labels: Mapping[str, str], is_open: Callable[[str], bool]) -> Certainty:
    if term["all"] or term["none"]:
        return certain(term["all"])
    key = term["has"] or term["key"]
    if key not in labels and is_open(key):
        return Certainty.UNKNOWN
    if term["has"]:
        return certain((key in labels) != bool(term["hasnot"]))
    values = [text[1:-1] for text in _VALUE.compiled.findall(term["values"])]
    return certain((labels.get(key) in values) == (term["operator"] in {"==", "in"}))
