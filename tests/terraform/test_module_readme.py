"""terraform/README.md says what the module has, and its commands are ones that work, as far as Google is not needed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.docs.command_lines import mistakes
from tests.docs.test_examples import make_targets
from tests.terraform import hcl, tables
from tests.terraform.checking import EXAMPLES, MODULE, ROOT, Terraform

README = tables.README.read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    shlex.split(line)
    for kind, text in BLOCKS
    if kind == "sh"
    for line in text.replace("\\\n", " ").splitlines()
    if line.strip()
]
DIGEST = "DIGEST"
AGENTS = {
    "artifactregistry.googleapis.com": "gcp-sa-artifactregistry",
    "firestore.googleapis.com": "gcp-sa-firestore",
    "pubsub.googleapis.com": "gcp-sa-pubsub",
}
"""Service agents that `gcloud beta services identity create` makes, by service: Google's pages say so of each."""


def test_tables_match_the_module() -> None:
    """The tables of inputs and outputs are those of the module; python -m tests.terraform.tables writes them anew."""
    for path in tables.READMES:
        assert tables.written(path) == path.read_text()
    assert README.count("\n| `") > 25


def test_every_described_file_exists() -> None:
    """Each file that the README describes is there, and each that makes something is described."""
    described = set(re.findall(r"`(\w+\.tf)`", README.split("## Two commands")[0]))
    makes = {
        path.name for path in MODULE.glob("*.tf") if re.search(r"^(resource|check) ", path.read_text(), re.MULTILINE)
    }

    assert described == makes - {"project.tf"}


def test_every_readme_command_is_covered() -> None:
    """The README's commands are these: each is run, or looked at, here or in tests/docs/test_install.py."""
    assert [(words[0], words[1].partition("=")[0]) for words in COMMANDS] == [
        ("make", "bundle"),
        ("terraform", "-chdir"),
        ("terraform", "-chdir"),
        ("make", "install"),
        ("export", "PATH"),
        *[("gcloud", "services")] * 2,
        ("gcloud", "beta"),
        ("gcloud", "services"),
        *[("gcloud", "beta")] * 2,
        ("gcloud", "storage"),
        ("gcloud", "pubsub"),
    ]
    assert {words[1] for words in COMMANDS if words[0] == "make"} <= make_targets()


@pytest.fixture(scope="session")
def bundle(terraform: Terraform) -> str:
    """The zip where the copied examples expect it, and its digest as `make bundle` prints it."""
    target = terraform.folder / "dist" / "scc-responder.zip"
    made = subprocess.run(
        [sys.executable, "-m", "scc_responder.cli.main", "bundle", "--policies", str(PACK), "--out", str(target)],
        env={"PYTHONPATH": str(ROOT / "functions")},
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.split()[-1]


def given(words: list[str]) -> dict[str, str]:
    """The `-var` of a command."""
    pairs = [words[index + 1].partition("=") for index, word in enumerate(words) if word == "-var"]
    return {name: value for name, _, value in pairs}


def test_apply_as_written(terraform: Terraform, bundle: str) -> None:
    """The README's `apply` plans through, with the zip that `make bundle` makes and Google's answers mocked.

    It warns of one thing alone, which a test counts as an error: that the evidence is not locked yet.
    """
    (words,) = (words for words in COMMANDS if "apply" in words)
    example = Path(words[1].partition("=")[2]).relative_to("terraform")
    values = {**given(words), "bundle_sha256": bundle}
    folder = terraform.copied("as-written") / example
    lines = [
        f"    {name} = {value if value.startswith('[') else f'{chr(34)}{value}{chr(34)}'}"
        for name, value in values.items()
    ]
    (folder / "tests").mkdir()
    (folder / "tests" / "readme.tftest.hcl").write_text(
        'mock_provider "google" {}\n\nrun "readme" {\n  command = plan\n  variables {\n'
        + "\n".join(lines)
        + "\n  }\n}\n"
    )
    tested = terraform.test(terraform.initialized(folder))

    assert given(words)["bundle_sha256"] == DIGEST
    assert [line.partition(":")[0] for line in tested.told.splitlines()] == ["Check block assertion failed"], (
        tested.told
    )
    assert "set locked in evidence" in tested.told


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_apply_gives_every_required_variable(example: Path) -> None:
    """The README's `apply` gives every variable that its example requires, and examples have none that it would not."""
    (words,) = (words for words in COMMANDS if "apply" in words)
    rows = hcl.inputs((example / "variables.tf").read_text())

    assert [row.name for row in rows] == sorted(row.name for row in rows)
    assert all(row.description for row in rows)
    if example.name == "project":
        assert {row.name for row in rows if not row.default} <= given(words).keys() <= {row.name for row in rows}


def test_the_module_block_is_valid(terraform: Terraform, bundle: str) -> None:
    """The README's module block is valid as it stands."""
    (block,) = (text for kind, text in BLOCKS if kind == "hcl")
    folder = terraform.copied("own") / "examples" / "own"
    folder.mkdir()
    (folder / "main.tf").write_text(block.replace(DIGEST, bundle))
    done = terraform.run(terraform.initialized(folder), "validate", "-no-color")
    formatted = terraform.run(folder, "fmt", "-check")

    assert (done.returncode, formatted.returncode) == (0, 0), done.stderr


def enabled() -> set[str]:
    """The APIs that the module enables."""
    return set(re.findall(r'"(\w+\.googleapis\.com)"', (MODULE / "project.tf").read_text()))


def test_before_the_first_apply() -> None:
    """The README's commands are ones that gcloud has. They enable what the module cannot, and make each agent that its
    keys are granted to and that does not come with an API."""
    gcloud = [words for words in COMMANDS if words[0] == "gcloud"]
    apis = {word for words in gcloud if words[1] == "services" for word in words if word.endswith(".googleapis.com")}
    made = {words[words.index("--service") + 1] for words in gcloud if words[1] == "beta"}
    agents = set(re.findall(r'"([a-z-]+)"', (MODULE / "keys.tf").read_text().partition("_key_users")[2].split("}")[0]))

    assert [mistake for words in gcloud for mistake in mistakes(shlex.join(words))] == []
    assert apis - enabled() == {"cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"}
    assert made <= apis
    assert agents == {*AGENTS.values(), "gs-project-accounts", "gcf-admin-robot", "serverless-robot-prod"}
    assert made == AGENTS.keys()
    assert ["gcloud", "storage", "service-agent"] in [words[:3] for words in gcloud]


def test_acting_as_another() -> None:
    """The API by which doctor, redrive and approvers get tokens of another account is enabled."""
    assert "iamcredentials.googleapis.com" in enabled()


def test_the_pause_command_names_the_subscription() -> None:
    """The command that pauses names the subscription that the module makes by default."""
    (words,) = (words for words in COMMANDS if words[:2] == ["gcloud", "pubsub"])

    assert words[1:5] == ["pubsub", "subscriptions", "modify-push-config", "scc-responder-push"]
    assert 'name                       = "${var.name}-push"' in (MODULE / "pubsub.tf").read_text()
