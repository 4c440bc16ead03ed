"""What a person types about what was left undone, for the reference for on-call.

`python -m tests.docs.remedies --write` writes the page's table again.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

from scc_responder.cli.terminal.markdown import markdown_table
from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.remedies import REMEDIES, Remedy
from tests.docs.examples import ROOT

PAGE = ROOT / "terraform" / "docs" / "on-call-reference.md"
COMMAND = "python -m tests.docs.remedies --write"
_BEGIN, _END = f"<!-- remedies: {COMMAND} -->", "<!-- end -->"


def rows() -> Iterator[tuple[str, str, str]]:
    """The reasons that have the same remedies, what to do first, and the commands in their order."""
    groups: dict[tuple[Remedy, ...], list[Reason]] = {}
    for reason, remedies in REMEDIES.items():
        groups.setdefault(remedies, []).append(reason)
    for remedies, reasons in groups.items():
        if remedies:
            yield (
                _words(reasons),
                "; then ".join(_first(remedies)),
                "<br>".join(f"`{each.typed()}`" for each in remedies),
            )
    yield "any other", Remedy.RESUME.meaning, f"`{Remedy.RESUME.typed()}`"
    yield _words(reason for reason in Reason if reason.is_by_hand), Remedy.BY_HAND.meaning, "none"


def _first(remedies: Iterable[Remedy]) -> list[str]:
    found = list(remedies)
    return [each.meaning for each in found if each is not Remedy.RESUME or len(found) == 1]


def _words(reasons: Iterable[Reason]) -> str:
    return " ".join(f"`{str(reason).partition('{}')[0]}`" for reason in reasons)


def table() -> str:
    """The table, as the page has it."""
    return markdown_table(("reason", "first", "then type"), rows())


def written(page: str) -> str:
    """The page with the table as it is by now."""
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{_BEGIN}\n\n{table()}\n{_END}", page, count=1)


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or say that it differs: then the status is 1."""
    given = sys.argv[1:] if arguments is None else arguments
    if "--write" in given:
        PAGE.write_text(written(PAGE.read_text()))
    differs = written(PAGE.read_text()) != PAGE.read_text()
    print(f"differs: {PAGE}\nrun: {COMMAND}" if differs else "nothing has drifted", file=sys.stderr)
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
