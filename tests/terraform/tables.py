"""Write the tables of inputs and outputs of each module's README anew: `python -m tests.terraform.tables`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.terraform import hcl
from tests.terraform.checking import MODULE

README = MODULE / "README.md"
READMES = (README, MODULE / "console" / "README.md")


def input_table(text: str) -> str:
    """The variables of a file as a Markdown table."""
    rows = [
        f"| `{row.name}` | {_cell(row.description)} | `{_type(row.type)}` | {_default(row)} |"
        for row in hcl.inputs(text)
    ]
    return "\n".join(["| input | | type | default |", "|---|---|---|---|", *rows])


def output_table(text: str) -> str:
    """The outputs of a file as a Markdown table."""
    rows = [f"| `{name}` | {_cell(description)} |" for name, description in hcl.outputs(text).items()]
    return "\n".join(["| output | |", "|---|---|", *rows])


def _type(expression: str) -> str:
    """A type on one line."""
    fields = [re.sub(r"\s+", " ", line.strip()) for line in expression.splitlines()]
    return f"{fields[0]}{', '.join(fields[1:-1])}{fields[-1]}" if len(fields) > 1 else expression


def _default(row: hcl.Input) -> str:
    return f"`{row.default}`" if row.default else "required"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def written(path: Path) -> str:
    """A README with its tables as they should be."""
    readme = path.read_text()
    tables = {
        "inputs": input_table((path.parent / "variables.tf").read_text()),
        "outputs": output_table((path.parent / "outputs.tf").read_text()),
    }
    for name, table in tables.items():
        marked = re.compile(rf"(<!-- {name}: .*? -->\n).*?(<!-- end -->)", re.DOTALL)
        readme = marked.sub(lambda match, table=table: f"{match[1]}\n{table}\n\n{match[2]}", readme)  # type: ignore[misc]
    return readme


if __name__ == "__main__":
    for readme in READMES:
        readme.write_text(written(readme))
        sys.stdout.write(f"{readme}\n")
