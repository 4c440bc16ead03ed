"""What is wrong with a policy's `condition`, in words for its author; needed only where one is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scc_responder.domain.reasons import Reason
from scc_responder.policy.cel import RENAMED, CelFacts, compiled, evaluate
from scc_responder.workbench.policy_files import cel_types
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake, expected

MAX_EXPRESSION_BYTES = 2048

_FOUND = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDEFINED = re.compile(r"undefined field '(\w+)' not found in struct 'scc\.(\w+)'")
_UNDECLARED = re.compile(r"undeclared reference to '(\w+)[\w.]*' \(in container ''\)")
_RESERVED = re.compile(r"reserved identifier: (\w+)")
_OVERLOAD = re.compile(r"found no matching overload for '(\S+)' applied to '\((.*)\)'")
_PATTERN = re.compile(r"""\.matches\(\s*([rR]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))\s*\)""")
_REFUSED = {
    "has": 'what is missing satisfies nothing; ask for the value itself, or for a key: "tier" in pod.labels',
    "dyn": "write the field itself, so that it can be checked",
    "type": "write the field itself, so that it can be checked",
}

FUNCTIONS = {
    "all": 'finding.processes.all(p, p.binary != "/bin/sh")',
    "exists": 'finding.processes.exists(p, p.binary.startsWith("/tmp/"))',
    "exists_one": 'finding.processes.exists_one(p, p.name == "sh")',
    "filter": 'finding.processes.filter(p, p.name == "sh").size() > 1',
    "map": '"sh" in finding.processes.map(p, p.name)',
    "size": "size(finding.processes) > 1",
    "contains": 'pod.name.contains("test")',
    "startsWith": 'pod.name.startsWith("web-")',
    "endsWith": 'pod.name.endsWith("-0")',
    "matches": r"pod.name.matches(r'^web-\d+$')",
    "indexOf": 'pod.name.indexOf("-") == 3',
    "lastIndexOf": 'pod.name.lastIndexOf("-") == 3',
    "lowerAscii": 'finding.principal.lowerAscii() == "ann@example.com"',
    "upperAscii": 'pod.name.upperAscii() == "WEB"',
    "split": 'finding.principal.split("@")[1] == "example.com"',
    "join": 'finding.indicators.join(",").contains("192.0.2.7")',
    "replace": 'pod.name.replace("-", "") == "web0"',
    "substring": 'pod.name.substring(0, 3) == "web"',
    "trim": 'pod.name.trim() == "web"',
    "charAt": 'pod.name.charAt(0) == "w"',
    "ip.in_cidr": '!finding.connections.all(c, ip.in_cidr(c.destination_ip, "10.0.0.0/8"))',
    "timestamp": 'finding.event_time > timestamp("2026-01-01T00:00:00Z")',
    "duration": 'related.exists(r, finding.event_time - r.event_time < duration("10m"))',
    "getHours": 'now.getHours("Europe/Berlin") >= 9',
    "getMinutes": "now.getMinutes() < 30",
    "getDate": 'now.getDate("Europe/Berlin") == 1',
    "getMonth": 'now.getMonth("Europe/Berlin") == 11',
    "getFullYear": "finding.event_time.getFullYear() > 2025",
    "getDayOfWeek": 'now.getDayOfWeek("Europe/Berlin") in [1, 2, 3, 4, 5]',
    "int": 'int(pod.labels["tier"]) > 2',
    "double": 'double(pod.labels["share"]) > 0.5',
    "string": 'string(finding.event_time).startsWith("2026")',
}
"""The functions that a condition may call, each with an example."""


def condition_mistakes(expression: str, path: DocumentPath) -> Iterator[Mistake]:
    """Every mistake in an expression, with a caret below its place."""
    size = len(expression.encode(errors="replace"))
    if not expression.strip():
        yield Mistake(path=path, text="empty; write an expression or remove it")
        return
    if size > MAX_EXPRESSION_BYTES:
        yield Mistake(path=path, text=f"{size} bytes; at most {MAX_EXPRESSION_BYTES} are allowed: split it up")
        return
    try:
        kind = cel_types.checker().compile(expression).return_type().name()
        compiled(expression).eval(data={})  # what cannot be evaluated at all is found only by trying
    except RuntimeError as error:
        yield from _mistakes(expression, str(error), path)
        return
    except TypeError:
        yield Mistake(path=path, text="no text that can be read; remove what is no character")
        return
    if kind != "BOOL":
        yield Mistake(path=path, text=f"expected true or false, got {kind.lower()}; compare it with something")
    for pattern in _PATTERN.findall(expression):
        result = evaluate(f'"".matches({pattern})', CelFacts(None))
        if result == Reason.CONDITION_ERROR:
            yield Mistake(path=path, text=f"{pattern} is no regular expression of RE2 (github.com/google/re2)")


def _mistakes(expression: str, message: str, path: DocumentPath) -> Iterator[Mistake]:
    lines = expression.splitlines()
    found = [match for match in _FOUND.finditer(message) if "*error*" not in match[3]]
    for match in found:
        row, column = int(match[1]), int(match[2])
        detail = f"{lines[row - 1]}\n{' ' * (column - 1)}^".replace("\t", " ") if row <= len(lines) else ""
        yield Mistake(path=path, text=f"column {column}: {_explained(match[3])}", row=row, detail=detail)
    if not found:
        text = re.sub(r"^[A-Z_]+: |\[[A-Z_]+\]?$|\[[A-Z_]+$", "", message).strip()
        is_deep = "recursion" in text
        told = "nested too deeply, or one chain too long: split it up" if is_deep else f"no CEL expression: {text}"
        yield Mistake(path=path, text=told)


def _explained(message: str) -> str:
    """CEL's message, with what could have been written instead."""
    undefined, undeclared = _UNDEFINED.search(message), _UNDECLARED.search(message)
    reserved, overload = _RESERVED.search(message), _OVERLOAD.search(message)
    if undefined:
        known = cel_types.fields()[undefined[2]]
        return f"unknown field {undefined[1]!r} of {undefined[2]}; {expected(undefined[1], known)}"
    if undeclared and undeclared[1] in _REFUSED:
        return f"{undeclared[1]!r} is not allowed; {_REFUSED[undeclared[1]]}"
    if undeclared:
        return f"unknown word {undeclared[1]!r}; {expected(undeclared[1], (*cel_types.variables(), *FUNCTIONS))}"
    if reserved:
        meant = RENAMED.get(reserved[1])
        return f"{reserved[1]!r} is a word of CEL's own{f'; write {meant!r}' if meant else ''}"
    if overload:
        return _uncomparable(overload[1].strip("_@"), overload[2].replace("scc.", "").replace("google.protobuf.", ""))
    return re.sub(r" expecting \{.*| \[[A-Z_]+\]$", "", message)


def _uncomparable(operator: str, kinds: str) -> str:
    text = f"{operator!r} cannot be asked of {kinds.replace(', ', ' and ')}"
    if operator in {"<", "<=", ">", ">="} and "string" in kinds:
        return f'{text}: texts have no order; name them: finding.severity in ["HIGH", "CRITICAL"]'
    if any(name in kinds for name in cel_types.fields()):
        return f"{text}; compare a field of it"
    return f"{text}; both sides must be of one type"
