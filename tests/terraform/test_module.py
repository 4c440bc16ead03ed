"""The module and its examples are well-formed, and keep what their own tests promise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.requirements import NOTE
from tests.terraform import extract_schema, hcl
from tests.terraform.checking import EXAMPLES, MODULE, OwnTests, Terraform

OWN = sorted(MODULE.glob("*.tf"))
VARIABLES = (MODULE / "variables.tf").read_text()


def test_says_what_it_ran_with(
    provider_used: str, terraform_program: Path, record_property: Callable[[str, object], None]
) -> None:
    """The summary says whether Google's provider itself was asked, or its schema alone."""
    record_property(NOTE, f"Terraform ({terraform_program}) was checked against the provider from: {provider_used}")

    assert provider_used.split(",", maxsplit=1)[0] in {"registry", "schema"}


def test_every_file_is_formatted(terraform: Terraform) -> None:
    """Every file is as `terraform fmt` writes it."""
    done = terraform.run(MODULE, "fmt", "-check", "-diff", "-recursive")

    assert (done.returncode, done.stdout) == (0, "")


def test_the_configuration_is_valid(terraform: Terraform, module: Path) -> None:
    """The module's configuration is valid."""
    done = terraform.run(module, "validate", "-no-color")

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_each_example_is_valid(terraform: Terraform, example: Path) -> None:
    """Each example is valid with the module as it is."""
    folder = terraform.initialized(terraform.copied(f"with-{example.name}") / "examples" / example.name)
    done = terraform.run(folder, "validate", "-no-color")

    assert done.returncode == 0, done.stderr


def test_every_scope_has_an_example() -> None:
    """There is an example for each scope."""
    assert [path.name for path in EXAMPLES] == ["folder", "organization", "project"]


def test_the_modules_own_tests_pass(tested: OwnTests) -> None:
    """The module's own tests pass, all of them."""
    written = sum(len(re.findall(r'^run "', path.read_text(), re.MULTILINE)) for path in MODULE.glob("tests/*.hcl"))

    assert {name: end for name, end in tested.runs.items() if end != "pass"} == {}, tested.told
    assert (tested.passed, len(tested.runs)) == (True, written)
    assert written > 50


def test_keys_come_after_apis(terraform: Terraform, module: Path) -> None:
    """No agent is let to a key before its API is enabled: until then it may not exist."""
    edges = terraform.run(module, "graph").stdout

    assert re.search(r'google_kms_crypto_key_iam_member\.agent" -> "[^"]*google_project_service\.needed"', edges)


@pytest.mark.parametrize(("name", "kind"), [("variables.tf", "variable"), ("outputs.tf", "output")])
def test_variables_and_outputs_are_in_order(name: str, kind: str) -> None:
    """Variables and outputs stand in alphabetical order, each described."""
    found = hcl.blocks((MODULE / name).read_text(), kind)

    assert list(found) == sorted(found)
    assert [one for one, block in found.items() if not hcl.argument(block, "description")] == []


def test_every_rule_is_broken(tested: OwnTests) -> None:
    """Every variable that has rules is tried with at least one value for each rule that breaks it."""
    tried = [run.removeprefix("validation/") for run in tested.runs if run.startswith("validation/")]
    rules = {name: block.count("\n  validation {") for name, block in hcl.blocks(VARIABLES, "variable").items()}
    broken = {name: len([run for run in tried if run.startswith(f"{name}_")]) for name in rules}

    assert {name: count for name, count in rules.items() if broken[name] < count} == {}
    assert sum(rules.values()) > 20


def test_refused_inputs_are_answered_in_sentences() -> None:
    """An input that is refused is answered by whole sentences that name it."""
    for name, block in hcl.blocks(VARIABLES, "variable").items():
        for message in re.findall(r'error_message = "(.*)"$', block, re.MULTILINE):
            assert name in message
            assert re.fullmatch(r"[A-Z].*\.", message), message


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_the_module_brings_no_strangers(path: Path) -> None:
    """The module brings no provider or backend, runs no programs, names nothing at random, and sets no whole policy."""
    text = path.read_text()

    assert re.findall(r"^\s*(?:provider|backend|provisioner|cloud)\b.*{", text, re.MULTILINE) == []
    assert re.findall(r'"(?:null_resource|terraform_data|random_\w+|\w+_iam_(?:policy|binding))"', text) == []


@pytest.mark.parametrize("provider", [extract_schema.GOOGLE, extract_schema.GOOGLE_BETA], ids=lambda one: one.name)
def test_schema_is_the_module_s(provider: extract_schema.Provider) -> None:
    """The committed schemas know every type that the module and its console use, and say where they are from."""
    known = json.loads(provider.schema.read_text())

    assert set(known["resources"]) == provider.used["resource"] | {*provider.also}
    assert set(known["data"]) == provider.used["data"]
    assert "Mozilla Public License" in known["notice"]
    assert "Mozilla Public License" in (provider.schema.parent / "LICENSE").read_text()


EXPIRY = '  expiration_policy {\n    ttl = ""\n  }\n'
WRONG = [
    pytest.param('  topic                      = google_pubsub_topic.responder["findings"].id', "", id="missing"),
    pytest.param("  retry_policy {", "  retry_rules {", id="unknown-block"),
    pytest.param("  ack_deadline_seconds       =", "  ack_deadline_secs =", id="unknown-argument"),
    pytest.param("local.ack_deadline_sec #", '"long" #', id="wrong-type"),
    pytest.param('["scheduler"].member', '["scheduler"].members', id="unknown-result"),
    pytest.param("  dead_letter_policy {", "  dead_letter_policy = {", id="block-as-argument"),
    pytest.param("  dead_letter_policy {", f"{EXPIRY}  dead_letter_policy {{", id="block-given-twice"),
    pytest.param('"google_pubsub_subscription" "push"', '"google_pubsub_push" "push"', id="unknown-type"),
]


@pytest.mark.parametrize(("right", "wrong"), WRONG)
def test_schema_is_asked(terraform: Terraform, tmp_path: Path, right: str, wrong: str) -> None:
    """What the provider would not take is found, whichever way to the provider there is."""
    folder = terraform.copied(f"wrong-{tmp_path.name}")
    pubsub = folder / "pubsub.tf"
    text = pubsub.read_text()
    assert right in text
    pubsub.write_text(text.replace(right, wrong, 1))
    done = terraform.run(terraform.initialized(folder), "validate", "-no-color")

    assert done.returncode == 1, done.stdout
