"""The parts of a condition that must all hold, as they are written. Pure.

What cannot be taken apart by its text alone is one part: it is then compared as a whole.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""[rR]?'''|[rR]?\"\"\"|[rR]"[^"\n]*"|[rR]'[^'\n]*'|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|//|&&|\|\||.""",
    re.DOTALL,
)
_UNCLEAR = frozenset({"//", "'''", '"""', "\\"})
_JOINS = frozenset({"&&"})
_OPENS, _CLOSES = frozenset("([{"), frozenset(")]}")


def condition_parts(expression: str) -> frozenset[str]:
    """What the outermost `&&` joins.

    >>> sorted(condition_parts('pod.ready && (a || b)'))
    ['(a || b)', 'pod.ready']
    >>> sorted(condition_parts('a && b || c'))
    ['a && b || c']
    """
    whole = frozenset({expression.strip()})
    parts, depth = [""], 0
    for token in _TOKEN.findall(expression):
        if token.lstrip("rR") in _UNCLEAR:
            return whole
        depth += (token in _OPENS) - (token in _CLOSES)
        if depth == 0 and token in {"||", "?"}:
            return whole
        if depth == 0 and token in _JOINS:
            parts.append("")
        else:
            parts[-1] += " " if token.isspace() else token
    return frozenset(" ".join(part.split()) if '"' not in part and "'" not in part else part.strip() for part in parts)


def holds_less_often(before: str, after: str) -> bool:
    """Whether a condition holds only where another did: it has all parts of that one. An empty one always holds."""
    return not before or (bool(after) and condition_parts(before) <= condition_parts(after))
