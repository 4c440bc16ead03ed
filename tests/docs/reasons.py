"""Every word by which the package may name a reason, state or field.

`python -m tests.docs.reasons [--write]`: docs/reasons.md, made of the words and their meanings.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache

from scc_responder.cli.terminal.markdown import markdown_table
from scc_responder.domain.reasons import Reason
from tests.docs.examples import ROOT

PAGE = ROOT / "docs" / "reasons.md"
COMMAND = "python -m tests.docs.reasons --write"

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


def page() -> str:
    """The page: every reason, and what it means."""
    rows = ((f"`{str(reason).replace('{}', 'NAME')}`", reason.meaning) for reason in sorted(Reason))
    return f"""<!-- Generated: {COMMAND} -->
# Reasons

Every word that says why: in cases, steps, answers and log lines. A name stands for `NAME`: `exempt:payments`,
`needs_capture_evidence`. The [reference for on-call](../terraform/docs/on-call-reference.md#reasons) says what to do
about those that matter most.

{markdown_table(("reason", "what it means"), rows)}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or say that it differs: then the status is 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.docs.reasons", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the page; without it it is only checked")
    if parser.parse_args(arguments).write:
        PAGE.write_text(page())
    differs = PAGE.read_text() != page()
    print(f"differs: {PAGE}\nrun: {COMMAND}" if differs else "nothing has drifted", file=sys.stderr)
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
