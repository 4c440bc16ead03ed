"""Every word by which the package may name a reason, state or field."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from scc_responder.domain.reasons import Reason
from tests.docs.examples import ROOT

_WORD = re.compile(r"[a-z]+(?:_[a-z]+)*(?:_|:)?")


@cache
def words() -> frozenset[str]:
    """The words, docstrings left out: to be told of in one is not to exist."""
    package = ROOT / "functions" / "scc_responder"
    return frozenset(word for path in package.rglob("*.py") for word in _words(ast.parse(path.read_text())))


def _words(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _WORD.fullmatch(node.value):
            yield node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def exists(word: str) -> bool:
    """Whether the package can say it: a reason, a state or a field."""
    return is_reason(word) or word in words()


def is_reason(word: str) -> bool:
    """Whether it is a reason, or the beginning (`exempt:`, `limit_`) of one that a name completes."""
    return word in {str(reason).partition("{}")[0] for reason in Reason}
