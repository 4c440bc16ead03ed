"""Break the shipped policies in one line, so that what stands there can never hold: by a seed, the same each time."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from scc_responder.intake.threats import CONFIDENCES, DETECTORS, SURFACES, THREAT_KINDS, catalogue
from scc_responder.policy.guardrails import GUARDRAILS_FILE
from scc_responder.policy.match import Severity
from tests.kits.responder import SHIPPED

CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
SERVICE = "projects/example-project/locations/europe-west1/services/login"
RIGHT = {
    "cluster": CLUSTER,
    "namespace": "payments",
    "workload": "Deployment/ledger",
    "image": "europe-docker.pkg.dev/example-project/shop/web",
    "node_pool": "pool-1",
    "project": "example-project",
    "location": "europe-west1",
    "principal": "ann@example.com",
}
"""A value that may be met, by the field of conditions."""
LISTS = {
    "workloads": "payments/Deployment/ledger",
    "nodes": "gke-prod-1-pool-1",
    "clusters": CLUSTER,
    "services": SERVICE,
    "locations": "europe-west1",
    "principals": "ann@example.com",
    "approvers": "ann@example.com",
    "keep_serving": "payments/Deployment/ledger",
}
"""The same, by the empty lists of the shipped guardrails."""
WORDS: dict[str, tuple[str, ...]] = {
    "threat": tuple(row.name for row in catalogue()),
    "detector": DETECTORS,
    "kind": THREAT_KINDS,
    "confidence": CONFIDENCES,
    "surface": SURFACES,
    "severity": tuple(Severity),
}
LOOKALIKES = dict(zip("aceopsxyi", "\u0430\u0441\u0435\u043e\u0440\u0455\u0445\u0443\u0456", strict=True))
UNSEEN = ("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad")
POLICIES = tuple(
    path for path in sorted(SHIPPED.glob("*.yaml")) if ".test." not in path.name and path.stem != "guardrails"
)


class Broken(NamedTuple):
    """A file with one line in it that can never hold."""

    kind: str
    file: str
    text: str
    line: int


def broken(seed: int) -> Broken:
    """The shipped pack, broken in one line by this seed."""
    dice = random.Random(seed)
    kind = dice.choice(sorted(_KINDS))
    if kind in {"list-form", "list-homograph"}:
        return _of_guardrails(dice, kind)
    return _of_policy(dice, kind, *_KINDS[kind](dice))


def _of_guardrails(dice: random.Random, kind: str) -> Broken:
    field = dice.choice(sorted(LISTS))
    wrong = _misformed(dice, field, LISTS[field]) if kind == "list-form" else _disguised(dice, LISTS[field])
    lines = (SHIPPED / GUARDRAILS_FILE).read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip() == f"{field}: []")
    lines[at] = lines[at].replace("[]", f"[{_quoted(wrong)}]")
    return Broken(kind, GUARDRAILS_FILE, "\n".join(lines) + "\n", at + 1)


def _of_policy(dice: random.Random, kind: str, field: str, wrong: str) -> Broken:
    """The line stands in `unless`, in `when`, or is the condition."""
    path = dice.choice(POLICIES)
    lines = path.read_text().splitlines()
    if field == "condition":
        at = lines.index("then:")
        lines.insert(at, f"condition: {_quoted(wrong)}")
        return Broken(kind, path.name, "\n".join(lines) + "\n", at + 1)
    if field == "modes":
        at = lines.index("then:")
        lines.insert(at, f"modes: {wrong}")
        return Broken(kind, path.name, "\n".join(lines) + "\n", at + 1)
    place = dice.choice(["when:", "unless:"])
    if place not in lines:
        lines.insert(lines.index("then:"), place)
    at = lines.index(place)
    block = next((n for n in range(at + 1, len(lines)) if not lines[n].startswith((" ", "#"))), len(lines))
    same = [n for n in range(at + 1, block) if lines[n].startswith(f"  {field}:")]
    for number in reversed(same):
        after = next((n for n in range(number + 1, block) if not lines[n].startswith("   ")), block)
        del lines[number:after]
    lines.insert(at + 1, f"  {field}: {_quoted(wrong)}")
    return Broken(kind, path.name, "\n".join(lines) + "\n", at + 2)


def _form(dice: random.Random) -> tuple[str, str]:
    field = dice.choice(sorted(RIGHT))
    return field, _misformed(dice, field, RIGHT[field])


def _misformed(dice: random.Random, field: str, right: str) -> str:
    """A value that nothing can have: a part too many or too few, a character or an end that is not allowed."""
    if field in {"principal", "principals", "approvers"}:
        prefix = dice.choice(["serviceAccount:", "user:", "group:", "domain:", "deleted:user:", "principalSet://"])
        return dice.choice([f"{prefix}{right}", right.replace("@", "@ "), f"{right}/{dice.randrange(99)}"])
    at = dice.randrange(len(right))
    letter = dice.choice("!$%&+=~^(){}<>;, \"'")
    ways = [
        right[:at] + letter + right[at:],
        f"https://{right}",
        f"/{right}",
        f"{right}/",
        f"{right}//x",
        f"{right[:-1]}_{letter}",
    ]
    if field != "image":
        ways += [f"{right}-", right + "x" * 260, f"{right}/part/{dice.randrange(99)}", right.upper()]
    return dice.choice(ways)


def _homograph(dice: random.Random) -> tuple[str, str]:
    field = dice.choice(sorted({*RIGHT, *WORDS} - {"severity"}))
    return field, _disguised(dice, RIGHT.get(field) or dice.choice(WORDS[field]))


def _disguised(dice: random.Random, right: str) -> str:
    places = [number for number, letter in enumerate(right) if letter in LOOKALIKES]
    at = dice.choice(places)
    if dice.random() < 0.6:
        return right[:at] + LOOKALIKES[right[at]] + right[at + 1 :]
    return dice.choice([right[:at] + dice.choice(UNSEEN) + right[at:], f"{right} ", f" {right}", f"{right}\u00a0"])


def _word(dice: random.Random) -> tuple[str, str]:
    field = dice.choice(sorted(WORDS))
    return field, _misspelt(dice, dice.choice(WORDS[field]), WORDS[field])


def _misspelt(dice: random.Random, right: str, words: tuple[str, ...]) -> str:
    while True:
        at = dice.randrange(len(right))
        letter = dice.choice("abcdefghijklmnopqrstuvwxyz")
        wrong = dice.choice([right[:at] + right[at + 1 :], right[:at] + letter + right[at:], right.swapcase()])
        if wrong not in words and wrong and wrong.strip():
            return wrong


def _constant(dice: random.Random) -> tuple[str, str]:
    number, other = dice.randrange(1, 999), dice.randrange(1, 28)
    word = dice.choice(["name", "surface", "kind", "confidence"])
    closed = WORDS["threat" if word == "name" else word]
    wrong = _misspelt(dice, dice.choice(closed), (*closed, "unknown"))
    return "condition", dice.choice(
        [
            f"{number} / 0 == {other}",
            f'finding.event_time > timestamp("2026-01-{other:02}")',
            f'finding.event_time - finding.create_time < duration("{number}d")',
            f'duration("{number} minutes") > finding.event_time - finding.create_time',
            f'finding.event_time.getHours("Europe/Berln{number}") < {other}',
            f'threat.{word} == "{wrong}"',
            f'threat.{word} in ["{wrong}"]',
            f'finding.severity == "{_misspelt(dice, "HIGH", tuple(Severity))}"',
            f"{number} == {number}",
            f"{number} > {number} || finding.processes.size() > {number}",
            f"finding.processes.size() < -{number}",
            f"finding.connections.exists(c, c.destination_port > {65535 + number})",
            f'pod.namespace == "a{number}" && pod.namespace == "b{other}"',
            f'pod.namespace == "Team-{number}"',
            f'finding.processes.exists(p, p.binary == "/tmp/x\u0430m{number}")',
            f'workload_object.kind == "deployment{number}"',
            f'google_identity in ["web{number}", "sa-{other}"]',
            f'finding.files.exists(f, "WRITE{number}" in f.operations)',
            f"live.workload.ready < 0 || live.workload.replicas > -{number}",
            f"live.budgets.exists(b, b.disruptions_allowed == -{number})",
            f'now.getHours("Europe/Berln{number}") < {other}',
            f'ip.in_cidr(finding.caller_ip, "10.0.{other}.0/{32 + number}")',
            f'live.workload.ready > {number} && duration("{number}d") < now - finding.event_time',
        ]
    )


def _mode(dice: random.Random) -> tuple[str, str]:
    """A mode that a label of the namespace could never raise: by its key, its value, its cluster, or its own mode."""
    number = dice.randrange(2, 999)
    key = dice.choice(
        [f"a b{number}", f"/tier{number}", f"example.com/tier{number}/x", f"tier-{number}*", f"-t{number}"]
    )
    value = dice.choice([f"a b{number}", f"x/{number}", "x" * (64 + number), f"{number}!", f"t\u0430st{number}"])
    wrong = dice.choice([f"{{'{key}': canary}}", f"{{stage: '{value}'}}", f"{{'{key}': ['{value}']}}"])
    mode, labels = dice.choice([("enforce", wrong), ("disabled", "{stage: canary}"), ("enforce", "{}")])
    return "modes", f"[{{mode: {mode}, clusters: ['{CLUSTER}'], namespace_labels: {labels}}}]"


_KINDS: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "form": _form,
    "homograph": _homograph,
    "word": _word,
    "constant": _constant,
    "mode": _mode,
    "list-form": _form,
    "list-homograph": _homograph,
}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def written_to(folder: Path, case: Broken) -> Path:
    """A folder of that file and the guardrails."""
    for path in folder.glob("*.yaml"):
        path.unlink()
    (folder / GUARDRAILS_FILE).write_text((SHIPPED / GUARDRAILS_FILE).read_text())
    (folder / case.file).write_text(case.text)
    return folder
