"""The evidence sources and their deadlines, for docs/evidence.md.

`python -m tests.docs.evidence` writes the page's table again.
"""

from __future__ import annotations

import re
import sys

from scc_responder.cli.terminal.markdown import markdown_table
from scc_responder.execute.evidence import evidence_sources
from tests.docs.examples import ROOT

PAGE = ROOT / "docs" / "evidence.md"
COMMAND = "python -m tests.docs.evidence"
_PLACE = re.compile(rf"(<!-- sources: {COMMAND} -->\n).*?(<!-- end -->)", re.DOTALL)


def sources_table() -> str:
    """Each source: when it is read, for how long at most, and whether a capture without it fails."""
    rows = (
        (
            f"`{each.name}`",
            each.moment.replace("_", " "),
            f"{each.deadline_seconds:g} s",
            "yes" if each.required else "no",
        )
        for each in evidence_sources().values()
    )
    return markdown_table(("source", "read", "at most", "required"), rows)


def written(page: str) -> str:
    """The page with its table as it should be."""
    table = sources_table().strip()
    return _PLACE.sub(lambda match: f"{match[1]}\n{table}\n\n{match[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
    sys.stdout.write(f"{PAGE}\n")
