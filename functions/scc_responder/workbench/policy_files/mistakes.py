"""One mistake in a policy or guardrails file, with what its author needs to fix it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from scc_responder.domain.errors import PolicyError
from scc_responder.domain.value import Value

DocumentPath = tuple[str | int, ...]
"""Where in a document: keys and places in lists, from the top."""

_PLAIN = re.compile(r"[A-Za-z_][-\w]*", re.ASCII)


class Mistake(Value, frozen=True, kw_only=True):
    """What is wrong at a place of a document, and the remedy. `row` is the line within a multi-line text, from 1.

    `detail` is shown below it, line by line.
    """

    path: DocumentPath = ()
    text: str
    reason: str = "invalid_policy"
    row: int = 1
    detail: str = ""


class Fault(Value, frozen=True, kw_only=True):
    """A mistake with its file and line; line 0 is the file as a whole."""

    file: str
    line: int = 0
    path: str = ""
    text: str
    reason: str = "invalid_policy"
    detail: str = ""

    def __str__(self) -> str:
        """`contain.yaml:12: then[0].action: unknown action 'delete_pods'; did you mean 'delete_pod'?`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        parts = (place, self.path, self.text)
        detail = "".join(f"\n    {line}" for line in self.detail.splitlines())
        return ": ".join(part for part in parts if part) + detail


def refusal(faults: Sequence[Fault]) -> PolicyError:
    """One error for all mistakes, one on each line; its reason is that of the first."""
    return PolicyError(faults[0].reason, "\n".join(map(str, faults)), faults=tuple(faults))


def written(path: DocumentPath) -> str:
    """A place as people write it.

    >>> written(("then", 0, "with", "labels", "example.com/a"))
    "then[0].with.labels['example.com/a']"
    """
    text = ""
    for part in path:
        plain = isinstance(part, str) and _PLAIN.fullmatch(part)
        text += f".{part}" if plain else f"[{part!r}]"
    return text.removeprefix(".")


def expected(word: str, known: Iterable[str]) -> str:
    """Which words are allowed, and which of them was probably meant.

    >>> expected("delete_pods", ["delete_pod", "notify"])
    "expected one of delete_pod, notify; did you mean 'delete_pod'?"
    """
    words = list(known)
    return f"expected one of {', '.join(words)}{did_you_mean(word, words)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The known word that is closest, as the end of a sentence; empty where none is close."""
    meant = closest(word, known)
    return f"; did you mean {meant!r}?" if meant else ""


def if_denied(pattern: str) -> str:
    """What to say of a pattern that begins as if it denied something, as the end of a sentence; empty for another."""
    return "; '!' denies nothing: what is excepted stands under unless" if pattern.startswith("!") else ""


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant; empty where none is close.

    >>> closest("Threat", ["threat", "category"]), closest("x", ["threat"])
    ('threat', '')
    """
    import difflib  # noqa: PLC0415 - only a mistake needs it

    folded = {other.casefold(): str(other) for other in known}
    close = difflib.get_close_matches(word.casefold()[:100], folded, n=1)
    return folded[close[0]] if close else ""
