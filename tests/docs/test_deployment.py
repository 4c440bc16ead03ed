"""Every input and output of Terraform that a page names is there, in the module and in each example."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.examples import ROOT, commands, fenced
from tests.terraform import hcl
from tests.terraform.checking import EXAMPLES, MODULE

GUIDES = sorted((MODULE / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), MODULE / "README.md", *GUIDES]
INPUTS = {row.name: row.type for row in hcl.inputs((MODULE / "variables.tf").read_text())}
FIELDS = {field: name for name, kind in INPUTS.items() for field in re.findall(r"^    (\w+) +=", kind, re.MULTILINE)}
"""The input that each field of an input is in: `max_instances` is in `limits`."""

BY_EXAMPLE = {"bundle", "scope"}
"""What each example makes of other variables: `bundle_sha256` and the scope's ids."""

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)


def prose(page: Path) -> str:
    """A page without its generated tables."""
    return re.sub(r"<!-- \w+: .*?<!-- end -->", "", page.read_text(), flags=re.DOTALL)


def outputs_named(text: str) -> set[str]:
    """The outputs that a text names, in a command or as `output NAME`."""
    told = re.findall(r"terraform[^`\n]* output(?: -\w+)* (\w+)", text)
    return {*told, *re.findall(r"output `(\w+)`", text)}


def of_the_module(text: str) -> set[str]:
    """What a text calls an input of the module."""
    return {*re.findall(r"module's\s+`(\w+)`", text), *re.findall(r"`(\w+)`\s+of\s+the\s+module", text)}


def variables(example: Path) -> dict[str, hcl.Input]:
    """The variables of an example."""
    return {row.name: row for row in hcl.inputs((example / "variables.tf").read_text())}


@each_page
def test_every_named_output_exists(page: Path) -> None:
    """`terraform output NAME` prints something, whichever example is deployed."""
    named = outputs_named(prose(page))
    for folder in EXAMPLES:
        assert named <= hcl.outputs((folder / "outputs.tf").read_text()).keys()
    assert named - {"responder"} <= hcl.outputs((MODULE / "outputs.tf").read_text()).keys()


def test_outputs_are_found() -> None:
    """The test above looks at something."""
    assert set().union(*(outputs_named(prose(page)) for page in PAGES)) == {
        *("collector_repository", "identity", "run_writer", "settings", "signing_key", "url")
    }
    assert outputs_named("`terraform -chdir=x output -raw nothing`, the output `none`") == {"nothing", "none"}


@each_page
def test_every_named_input_exists(page: Path) -> None:
    """What a page calls an input of the module is one, or a field of one, or an output."""
    assert of_the_module(prose(page)) <= {*INPUTS, *FIELDS, *hcl.outputs((MODULE / "outputs.tf").read_text())}


def named_inputs() -> set[str]:
    """The inputs that the pages for people name, by themselves or by a field."""
    words = {word for page in GUIDES for word in re.findall(r"`(\w+)(?: = [^`]+)?`", prose(page))}
    return {FIELDS.get(word, word) for word in words if word in {*INPUTS, *FIELDS}} - BY_EXAMPLE


@each_example
def test_inputs_can_be_given(example: Path) -> None:
    """Every input that a page for people names is a variable of each example, or follows from one, and is handed on."""
    main, known = (example / "main.tf").read_text(), variables(example)
    handed_on = dict(re.findall(r"^  (\w+) += (.*)$", main.partition('module "responder"')[2], re.MULTILINE))

    assert {"approvers", "operators", "ingress", "limits"} <= named_inputs()
    assert [name for name in sorted(named_inputs()) if not handed_on.get(name, "").partition("var.")[2]] == []
    assert [name for name in known if f"var.{name}" not in handed_on.values() and f"var.{name}" not in main] == []
    assert [name for name, given in handed_on.items() if given == f"var.{name}" and name not in known] == []


@each_example
def test_fields_can_be_given(example: Path) -> None:
    """Where the module takes an object, the example takes the same fields, and leaves their defaults to the module."""
    rows = {name: row for name, row in variables(example).items() if "object(" in row.type and name in INPUTS}
    for name, row in rows.items():
        assert re.sub(r"optional\(([\w()]+), .*\)", r"optional(\1)", INPUTS[name]) == row.type
    kept = {"alerts", "collector_repository", "console", "evidence", "limits", "outcome_subscriptions", "signing"}
    assert rows.keys() == kept


def given() -> Iterator[tuple[str, str, str]]:
    """Every `-var` of every documented command: where it stands, which example, which variable."""
    for one in fenced():
        for line in commands(one.text) if one.kind == "sh" else ():
            words = shlex.split(line, comments=True)
            folder = next((word.partition("=")[2] for word in words if word.startswith("-chdir=")), "")
            for before, word in pairwise(words):
                if before == "-var":
                    yield one.where, folder, word.partition("=")[0]


@pytest.mark.parametrize(("where", "folder", "name"), list(given()))
def test_variables_of_commands(where: str, folder: str, name: str) -> None:
    """Every variable that a command gives is one that its example has."""
    assert name in variables(ROOT / folder), where
