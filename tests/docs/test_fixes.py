"""What `doctor` prints to fix a fault is a command that there is, with options that it has, ready to be copied."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scc_responder.workbench.doctor.check import OR, THEN
from tests.docs.command_lines import FIXING, fix_mistakes, mistakes
from tests.docs.examples import ROOT

PACKAGE = ROOT / "functions" / "scc_responder"
SOURCES = [*sorted((PACKAGE / "workbench/doctor").glob("*.py")), *sorted((PACKAGE / "cli/doctor").glob("*.py"))]
_STARTS = re.compile(r"(?:gcloud|kubectl|scc-responder) [a-z]")


def texts(path: Path) -> Iterator[str]:
    """Every text in a module but its documentation; what is filled in is `X`, and is told in what is around it."""
    tree = ast.parse(path.read_text())
    within = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(_part(value) for value in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within | told:
            yield node.value


def _part(value: ast.expr) -> str:
    if isinstance(value, ast.Constant):
        return str(value.value)
    names = {"OR": OR, "THEN": THEN, "wanted": "enforce"}
    held = value.value if isinstance(value, ast.FormattedValue) else None
    return names.get(held.id, "X") if isinstance(held, ast.Name) else "X"


COMMANDS = sorted({text for path in SOURCES for text in texts(path) if _STARTS.match(text)})


@pytest.mark.parametrize("text", COMMANDS)
def test_every_printed_command_exists(text: str) -> None:
    """Every text that begins like a command is one."""
    assert list(mistakes(re.split(f"{OR}|{THEN}", text)[0])) == []


def test_commands_are_found() -> None:
    """They are really searched, and nothing is listed as printed that is not."""
    assert len(COMMANDS) > 20
    words = [" ".join(word for word in text.split() if not word.startswith("-")) for text in COMMANDS]
    words += ["gcloud organizations add-iam-policy-binding", "gcloud projects add-iam-policy-binding"]  # gcloud X ...
    words += ["gcloud resource-manager folders add-iam-policy-binding"]
    assert [known for known in FIXING if not any(word.startswith(known) for word in words)] == []


@pytest.mark.parametrize(
    ("fix", "told"),
    [
        ("gcloud container clusters update c --location=l --project=p --enable-dns", "has no --enable-dns"),
        ("gcloud container clusters update c --location=l --enable-dns-access", "no --project"),
        ("gcloud container clusters update c --project=p, then --enable-network-policy", "takes no 'then'"),
        ("terraform apply; or: gcloud pubsub topic create t --project=p", "no command that is known"),
        ("scc-responder serve makes it", "unrecognized arguments"),
        ("run scc-responder doctor again", "a command within a sentence"),
        ("gcloud pubsub topics create t --project=p, or terraform apply", "takes no 'or terraform apply'"),
        ("kubectl apply -k a && kubectl aply -k b", "no command that is known"),
    ],
)
def test_mistakes_are_noticed(fix: str, told: str) -> None:
    """What is no command, or cannot be copied, is told."""
    assert any(told in mistake for mistake in fix_mistakes(fix))
