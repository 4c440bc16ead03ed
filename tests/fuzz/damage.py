"""Random damages to policy files, as hands and tools make them, and what each damaged policy still does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from scc_responder.domain.context import Context
from scc_responder.domain.errors import PolicyError, RejectedMessage
from scc_responder.guard.guard import guard
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import in_scope
from scc_responder.policy.decide import decide
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.explanation import ContextFacts, context_of, read_facts
from scc_responder.workbench.policies.policy_tests import PolicyTests
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.findings import FOLDER, every_golden
from tests.kits.responder import SHIPPED

Acts = frozenset[tuple[str, str]]
"""What a policy does to the goldens: (golden, action). How far, its mode, is raised on purpose and in plain sight."""

CHARACTERS = " :-[]{}#*?&!|>'\"\n\tabcdefghijklmnopqrstuvwxyz_ENFORCE0123456789"
WORDS = (
    "threat", "category", "severity", "kind", "confidence", "surface", "namespace", "when", "unless", "then", "mode",
    "with", "action", "needs", "on_failure", "limits", "labels", "enforce", "dry_run", "likely", "confirmed", "pod",
    "delete_pod", "isolate_pod", "cordon_node", "reverse_shell", "*", "LOW", "CRITICAL", "continue", "kube-system",
)  # fmt: skip
VALUES = (None, True, False, 0, -1, 3.5, "", "*", "?", [], ["*"], {}, {"a": "b"}, "enforce", "LOW", ["LOW", "HIGH"])


def damaged(text: str, random: Random) -> str:
    """The text with one to three damages of one kind: to characters, lines, keys, indentation or types."""
    damage = random.choice(KINDS)
    for _ in range(random.randint(1, 3)):
        text = damage(text, random)
    return text


def _characters(text: str, random: Random) -> str:
    start = random.randrange(len(text))
    end = start + random.choice((0, 0, 1, 1, 1, 2, 8))
    return text[:start] + random.choice(("", random.choice(CHARACTERS), text[start:end] * 2)) + text[end:]


def _lines(text: str, random: Random) -> str:
    lines = text.splitlines()
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    change = random.choice(("drop", "double", "swap", "move"))
    if change == "drop":
        del lines[first]
    elif change == "double":
        lines.insert(second, lines[first])
    elif change == "swap":
        lines[first], lines[second] = lines[second], lines[first]
    else:
        lines.insert(second, lines.pop(first))
    return "\n".join(lines) + "\n"


def _keys(text: str, random: Random) -> str:
    words = [word for word in WORDS if word in text] or list(WORDS)
    return text.replace(random.choice(words), random.choice(WORDS), random.choice((1, 1, -1)))


def _indentation(text: str, random: Random) -> str:
    lines = text.splitlines()
    number = random.randrange(len(lines))
    lines[number] = random.choice(("", " ", "  ", "\t", "    ")) + lines[number].lstrip(random.choice((" ", "")))
    return "\n".join(lines) + "\n"


def _types(text: str, random: Random) -> str:
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    places = list(_places(document))
    if not places:
        return text
    holder, key = random.choice(places)
    if random.random() < 0.3:
        del holder[key]
    else:
        value = random.choice((*VALUES, holder[key]))
        holder[key] = random.choice((value, [value], {str(key): value}))
    return str(yaml.safe_dump(document, sort_keys=False))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield value, key
        yield from _places(child)


KINDS: tuple[Callable[[str, Random], str], ...] = (_characters, _lines, _keys, _indentation, _types)


@cache
def goldens() -> tuple[tuple[str, Context], ...]:
    """Every golden that is decided upon, with what is known of its target."""
    found = []
    for name in every_golden():
        try:
            finding = parse_notification((FOLDER / f"{name}.json").read_bytes())
        except RejectedMessage:
            continue
        facts = FOLDER / f"{name}.context.json"
        known = read_facts(facts.read_bytes(), name) if facts.exists() else ContextFacts()
        if in_scope(finding) is None:
            found.append((name, context_of(finding, known)))
    return tuple(found)


def acts(policies: PolicySet) -> Acts:
    """What the policies do to the goldens."""
    done = set()
    for name, context in goldens():
        decision = guard(context, decide(context, policies.policies), policies.guardrails, context.finding.event_time)
        for policy in decision.policies:
            done |= {(name, item.action) for item in policy.actions if item.result == "planned"}
    return frozenset(done)


class Subject:
    """One shipped policy in a folder of its own, its test beside it, to be damaged again and again."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        folder.mkdir()
        for file in ("guardrails.yaml", f"{name}.yaml", f"{name}.test.yaml"):
            shutil.copy(SHIPPED / file, folder)
        self.text = (folder / f"{name}.yaml").read_text()
        self.acts = acts(load_policies(folder))

    def verdict(self, text: str) -> str:
        """What becomes of a damaged text: `refused` at load, `harmless`, `failed` its tests, or `unnoticed`."""
        (self.folder / f"{self.name}.yaml").write_text(text)
        try:
            policies = load_policies(self.folder)
        except PolicyError:
            return "refused"
        if acts(policies) <= self.acts:
            return "harmless"
        results = map(PolicyTests(policies, self.folder, FOLDER).check, policies.policies)
        return "unnoticed" if all(result.passed for result in results) else "failed"
