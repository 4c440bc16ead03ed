"""The guardrails as the API server reads them: CEL for the lists in `terraform/kubernetes/admission.yaml`. Pure.

Only what an API server can see of a request is among them: namespaces, nodes, Google's own agents, and keys. Protected
workloads, clusters and principals are held by the responder alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scc_responder.domain.wildcards import DEEP
from scc_responder.guard.google_agents import AGENT_PODS
from scc_responder.policy.guardrails import Guardrails

BEGINS = "    # Generated from policies/guardrails.yaml: begin\n"
ENDS = "    # Generated: end\n"

_HIGHEST_OF_FOUR = 0xFFFF
_WILDCARDS = {"*": "[^/]*", "?": "[^/]"}
_SPECIAL = re.compile(r"[\\.+()|\[\]{}^$]")


def literal(text: str) -> str:
    r"""The text as a CEL string, of printable ASCII alone: YAML takes more characters for line ends than CEL does.

    >>> print(literal('a"b\u2028'))
    "a\"b\u2028"
    """
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if " " <= character <= "~":
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= _HIGHEST_OF_FOUR else f"\\U{code:08x}"


def fits(patterns: Iterable[str], subject: str) -> str:
    """A CEL expression: whether the subject, itself an expression, fits any pattern, as `wildcards.matches` means it.

    >>> print(fits(["shop", "team-*"], "variables.inNamespace"))
    variables.inNamespace in ["shop"] || variables.inNamespace.matches("^(?:team-[^/]*)$")
    """
    given = sorted(set(patterns))
    words = [pattern for pattern in given if not _WILDCARDS.keys() & set(pattern)]
    wild = [_expression(pattern) for pattern in given if pattern not in words]
    whole = f"^(?:{'|'.join(wild)})$"
    listed = [f"{subject} in {_list(words)}"] if words else []
    matched = [f"{subject}.matches({literal(whole)})"] if wild else []
    return " || ".join(listed + matched) or "false"


def _expression(pattern: str) -> str:
    """The pattern in RE2's syntax: `**` between slashes stands for any text, slashes and line ends too."""
    return "/".join("(?s:.*)" if segment == DEEP else _segment(segment) for segment in pattern.split("/"))


def _segment(pattern: str) -> str:
    """A part between slashes, where `[^/]` is any character but `/`, line ends too."""
    return "".join(_WILDCARDS.get(character) or _SPECIAL.sub(r"\\\g<0>", character) for character in pattern)


def _list(words: Iterable[str]) -> str:
    return f"[{', '.join(literal(word) for word in words)}]"


def lists(guardrails: Guardrails) -> Iterator[tuple[str, str]]:
    """Name and CEL expression of each variable that comes from the guardrails."""
    protected, allowed = guardrails.protected, guardrails.allowed_keys
    yield "protectedNamespace", fits(protected.namespaces, "variables.inNamespace")
    yield "protectedNode", fits(protected.nodes, "variables.name")
    yield "googleAgent", _agents()
    yield "allowedLabels", _list(sorted(set(allowed.labels)))
    yield "allowedAnnotations", _list(sorted(set(allowed.annotations)))


def _agents() -> str:
    """Namespace and name must fit together: anyone can give a pod any name."""
    spaces: dict[str, list[str]] = {}
    for space, name in AGENT_PODS:
        spaces.setdefault(space, []).append(name)
    pairs = (
        f"(({fits([space], 'variables.inNamespace')}) && ({fits(names, 'variables.podName')}))"
        for space, names in spaces.items()
    )
    return "\n|| ".join(pairs)


def with_lists(text: str, guardrails: Guardrails) -> str:
    """The text of the admission policy with the lists of these guardrails. Raises ValueError where it has no place."""
    before, begins, rest = text.partition(BEGINS)
    _, ends, after = rest.partition(ENDS)
    if not (begins and ends):
        raise ValueError(f"the lines {BEGINS.strip()!r} and {ENDS.strip()!r} are not there")
    return f"{before}{BEGINS}{''.join(map(_variable, lists(guardrails)))}{ENDS}{after}"


def _variable(item: tuple[str, str]) -> str:
    """One variable in YAML. An expression is of printable ASCII, and only we break it into lines."""
    name, expression = item
    indented = "".join(f"        {line}\n" for line in expression.split("\n"))
    return f"    - name: {name}\n      expression: |-\n{indented}"
