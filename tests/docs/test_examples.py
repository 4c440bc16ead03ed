"""What documents and docstrings show is true: every YAML is read, every command is run, every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from scc_responder.domain.errors import ResponderError
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.docs.command_lines import PROGRAMS, mistakes
from tests.docs.examples import (
    NEEDS_MORE,
    ON_PATH,
    ROOT,
    Example,
    commands,
    documents,
    fenced,
    help_of,
    load,
    reads_what_is_not_here,
    run,
    written_in_code,
)
from tests.kits.responder import write_policies

EXAMPLES = [*fenced(), *written_in_code()]
KINDS = {"yaml", "sh", "hcl", "python", "json", ""}
"""The languages of examples; one without a language is a picture."""

ARCHITECTURE = "docs/architecture.md:"
"""Its recipes' files are tried by tests/docs/test_recipes.py."""

OF_TERRAFORM = "terraform/README.md:"
"""Its examples need terraform: tests/terraform/test_module_readme.py tries each of them."""

OF_THE_CONSOLE = "terraform/console/README.md:"
"""Its configuration is applied by tests/terraform/test_console.py."""

FIRST_HOUR = "terraform/docs/first-hour.md:"
"""Its files for terraform are tried by tests/terraform/test_module_examples.py."""

CUSTODY = "docs/custody.md:"
"""Its commands need a bundle of evidence: tests/docs/test_custody_page.py runs each of them."""

OF_CLUSTERS = "terraform/kubernetes/README.md:"
"""Its examples need a cluster: tests/admission/test_kustomization_readme.py tries each of them."""

yaml_examples = [example for example in EXAMPLES if example.kind == "yaml"]
command_lines = [
    (example.where, line)
    for example in EXAMPLES
    if example.kind == "sh" and not example.where.startswith((OF_TERRAFORM, OF_CLUSTERS, CUSTODY))
    for line in commands(example.text)
]
each_yaml = pytest.mark.parametrize("example", yaml_examples, ids=lambda example: example.where)
each_command = pytest.mark.parametrize(("where", "line"), command_lines)
each_document = pytest.mark.parametrize("path", list(documents()), ids=lambda path: str(path.relative_to(ROOT)))


def make_targets() -> set[str]:
    """Every documented target of the Makefile."""
    return set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.where)
def test_every_example_is_tried(example: Example) -> None:
    """No example is of a kind that nothing here tries."""
    assert example.kind in KINDS
    assert example.kind != "hcl" or example.where.startswith((OF_TERRAFORM, OF_THE_CONSOLE, FIRST_HOUR))
    assert example.kind not in {"python", "json"} or example.where.startswith(ARCHITECTURE)


def test_examples_are_found() -> None:
    """Documents and docstrings are really searched."""
    found = {example.where.partition(":")[0] for example in EXAMPLES}
    assert {"README.md", "policies/README.md", "functions/scc_responder/actions/delete_pod.py"} <= found


@each_yaml
def test_every_yaml_example_is_read(example: Example, tmp_path: Path) -> None:
    """Every example of YAML is what its keys say, from a policy to a scope, and is read as it is."""
    assert load(example.text, tmp_path / "policies") in {
        "policy",
        "cases",
        "guardrails",
        "routes",
        "scope",
        "shipped",
        "clusters",
    }


def damaged(text: str) -> str:
    """An example with its first key misspelt."""
    return re.sub(r"^([\w/-]+)(?=:)", r"x\1", text, count=1, flags=re.MULTILINE)


@each_yaml
def test_a_damaged_example_is_noticed(example: Example, tmp_path: Path) -> None:
    """The same with a key misspelt is refused: the test above could fail."""
    with pytest.raises((ResponderError, ValueError)):
        load(damaged(example.text), tmp_path / "policies")


@each_command
def test_every_shown_command_works(where: str, line: str, tmp_path: Path) -> None:
    """Every command that is shown ends with 0 as it stands; of those that need a deployment, the options are there.

    Other programs' command lines are compared with the commands and options that those are known to have.
    """
    words = line.split()
    if words[0] == "make":
        assert words[1] in make_targets()
        assert [word for word in words[2:] if word.startswith("T=") and not (ROOT / word[2:]).exists()] == []
        return
    if words[:2] == ["python", "-m"]:
        assert (ROOT / f"{words[2].replace('.', '/')}.py").exists()
        return
    if words[0] in PROGRAMS:
        assert list(mistakes(line)) == []
        return
    if line == ON_PATH:  # tests/docs/test_install.py does it
        return
    assert words[0] == "scc-responder", f"{where}: nothing here runs {words[0]}"
    for_readers_files = where.startswith(("functions/", "terraform/docs/"))
    if words[1] in NEEDS_MORE or (for_readers_files and reads_what_is_not_here(line)):
        options, told = help_of(line, tmp_path / "shown")
        assert told.startswith("usage: ")
        assert [option for option in options if option not in told] == []
        return
    done = run(line, tmp_path / "shown")
    assert done.returncode == 0, done.stderr + done.stdout


@each_document
def test_commands_in_text(path: Path) -> None:
    """A `make` target that a sentence names is there."""
    named = set(re.findall(r"`make ([a-z]+)`", path.read_text()))
    assert named - {"help"} <= make_targets()


def headings(path: Path) -> set[str]:
    """The headings of a document, as links name them."""
    found = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in found}


@each_document
def test_every_link_leads_somewhere(path: Path) -> None:
    """Every link within the repository leads to a file, and to a heading that is there."""
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        file = path.parent / name if name else path
        assert file.exists(), target
        assert not heading or heading in headings(file), target


def test_the_first_policy_and_its_cases(tmp_path: Path) -> None:
    """The policy that a newcomer reads first does what the cases shown beside it say, and they say enough."""
    shown = [example.text for example in EXAMPLES if example.where.startswith("policies/README.md:")]
    policy, cases = shown[0], next(text for text in shown if "\npolicy: " in text)
    name = yaml.safe_load(cases)["policy"]
    folder = write_policies(tmp_path / "policies", policy)
    assert [item.name for item in load_policies(folder).policies] == [name]
    assert run("scc-responder policy test", tmp_path).returncode == 1, "without its cases"
    (folder / f"{name}.test.yaml").write_text(cases)
    assert run("scc-responder policy test", tmp_path).returncode == 0
    assert run(f"scc-responder policy lint --strict policies/{name}.yaml", tmp_path).returncode == 0
