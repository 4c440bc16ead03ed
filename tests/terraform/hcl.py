"""What can be read of a configuration without terraform: its top-level blocks, in text as `terraform fmt` writes it."""

from __future__ import annotations

import re

from scc_responder.domain.value import Value


class Input(Value, frozen=True, kw_only=True):
    """A variable, for its row in a table. `default` is empty where it must be given."""

    name: str
    description: str
    type: str
    default: str


def blocks(text: str, kind: str) -> dict[str, str]:
    """The blocks of a kind with one label (`variable "name" {`), by name."""
    return {match[1]: match[0] for match in re.finditer(rf'^{kind} "(\w+)" {{\n.*?^}}', text, re.MULTILINE | re.DOTALL)}


def argument(block: str, name: str) -> str:
    """The expression of one of the block's own arguments, empty where it is not given."""
    found = re.search(rf"^  {name} += (.*?)(?=^  \w|^\}}|^$)", block, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def text_of(expression: str) -> str:
    """The text of a quoted string."""
    return expression.strip('"').replace('\\"', '"')


def inputs(text: str) -> list[Input]:
    """The variables of a file."""
    return [
        Input(
            name=name,
            description=text_of(argument(block, "description")),
            type=argument(block, "type"),
            default=argument(block, "default"),
        )
        for name, block in blocks(text, "variable").items()
    ]


def outputs(text: str) -> dict[str, str]:
    """The outputs of a file and what they are."""
    return {name: text_of(argument(block, "description")) for name, block in blocks(text, "output").items()}
