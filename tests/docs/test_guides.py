"""terraform/docs: what the pages for people promise of commands, names, reasons, alerts and numbers is so."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from scc_responder.cli.main import COMMANDS
from scc_responder.domain.status import CaseState
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.docs import costs, rates
from tests.docs.command_lines import KNOWN, mistakes
from tests.docs.examples import ROOT, commands, fenced
from tests.docs.reasons import exists, is_reason
from tests.kits.google.logging_filter import parse_filter
from tests.kits.responder import deployed, finding_about, policy
from tests.pipeline.conftest import cluster, pod
from tests.pipeline.test_heartbeat import MESSAGE
from tests.terraform.log_entries import entry

__all__ = ["cluster", "pod"]

FOLDER = "terraform/docs/"
PAGES = sorted((ROOT / FOLDER).glob("*.md"))
ON_CALL = (ROOT / FOLDER / "on-call-reference.md").read_text()
LINES = [
    line
    for example in fenced()
    if example.where.startswith(FOLDER) and example.kind == "sh"
    for line in commands(example.text)
]
OURS = [line for line in LINES if line.startswith("scc-responder ")]


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """The cells of every table row below a heading of a page, up to the next one of its rank."""
    part = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for line in part.splitlines():
        if line.startswith("| ") and not line.startswith("| | "):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def quoted(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


REASONS = [word for first, *_ in rows(ON_CALL, "Reasons") for word in quoted(first)]


def test_the_pages_are_linked() -> None:
    """The module's page and the README lead to each or to where it begins."""
    names = {path.name for path in PAGES}
    assert names == {"first-hour.md", "on-call.md", "on-call-reference.md", "cost-and-quotas.md", "upgrades.md"}
    module = (ROOT / "terraform" / "README.md").read_text()
    readme = (ROOT / "README.md").read_text()
    assert [name for name in sorted(names) if f"](docs/{name})" not in module] == []
    assert {name for name in names if f"](terraform/docs/{name})" in readme} >= {"first-hour.md", "on-call.md"}


@pytest.mark.parametrize("line", OURS)
def test_every_command_is_accepted_by_its_parser(line: str) -> None:
    """Every command of ours is one that its parser takes: nothing that it requires is missing."""
    _, command, *given = shlex.split(line, comments=True)
    parser = argparse.ArgumentParser()
    import_module(f"scc_responder.cli.{command}").add_options(parser)
    parser.parse_args(given)


TOKENS = [
    line.strip()
    for text in (ON_CALL, str(import_module("scc_responder.cli.case").__doc__))
    for line in commands(text)
    if line.strip().startswith("gcloud auth print-identity-token")
]


def test_tokens_for_approvals() -> None:
    """`case --help` and the page show the same way to a token, made for the function's address."""
    assert len(TOKENS) == 2
    for line in TOKENS:
        given = {word.partition("=")[0]: word.partition("=")[2] for word in shlex.split(line)}
        assert given["--audiences"] == "URL"
        assert given["--impersonate-service-account"]
        assert "--include-email" in given
        assert list(mistakes(line)) == []
    # tests/docs/test_deployment.py looks whether there is such an output.
    approving = ON_CALL.partition("## Approve or reject")[2].partition("\n## ")[0]
    assert "`terraform output -raw url`" in approving


def test_commands_are_found() -> None:
    """The pages are really searched: they show the commands that a person on call needs."""
    shown = {line.split()[1] for line in OURS}
    assert {"case", "control", "breaker", "redrive", "doctor", "simulate", "policy"} <= shown <= set(COMMANDS)
    programs = {"scc-responder", "make", "export", "git", "gcloud", "kubectl", "terraform"}
    assert {line.split()[0] for line in LINES} == programs


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("gcloud pubsub subscriptions modify-push-conf s", "no command that is known"),
        ("gcloud pubsub subscriptions modify-push-config s --push-endpiont=", "has no --push-endpiont"),
        (
            "gcloud pubsub subscriptions modify-push-config s --push-endpoint=URL --push-auth-service-account=EMAIL",
            "lacks --push-auth-token-audience",
        ),
        ("gcloud container clusters list | scc-responder doctor --clusters -", "unrecognized arguments"),
        ("gcloud container clusters lst | scc-responder doctor", "no command that is known"),
        ("kubectl cordon node-1", "no command that is known"),
        ("kubectl annotate namespace default 'key=value", "No closing quotation"),
        ("terraform -chdir=x apply -auto-approve", "has no -auto-approve"),
    ],
)
def test_mistakes_are_noticed(line: str, told: str) -> None:
    """A command that is not there, an option that is not there, and a quote left open are each told."""
    (mistake,) = mistakes(line)
    assert told in mistake


def test_known_commands_are_shown() -> None:
    """Nothing is listed as known that no page shows."""
    every = [line for example in fenced() if example.kind == "sh" for line in commands(example.text)]
    plain = [" ".join(word for word in line.split() if not word.startswith("-")) for line in every]
    assert [known for known in KNOWN if not any(f"{line} ".startswith(f"{known} ") for line in plain)] == []


@pytest.mark.parametrize("word", REASONS)
def test_every_explained_reason_exists(word: str) -> None:
    """Every reason that the page for on-call explains is a word that the code says."""
    assert is_reason(word)


def test_a_reason_that_is_not_there_is_noticed() -> None:
    """The test above can fail, and there is much that it looks at."""
    assert not is_reason("namespace_protektet")
    assert len(REASONS) > 100
    assert len(set(REASONS)) == len(REASONS)


def test_records_name_every_case_state() -> None:
    """The page names every state of a case, and no other, and only fields that there are."""
    cells = [quoted(first) for first, *_ in rows(ON_CALL, "Read a record")]
    names = [name for (name,) in filter(None, cells)]
    assert {name for name in names if "." not in name} == set(CaseState)
    fields = [name.partition("jsonPayload.")[2] for name in names if name.startswith("jsonPayload.")]
    assert [name for name in fields if not exists(name)] == []


def test_every_alert_has_its_section() -> None:
    """The page says what to do about every alert that the module makes, and about no other."""
    module = (ROOT / "terraform" / "alerts.tf").read_text()
    thresholds = re.findall(r"^    (\w+) = \{$", module, re.MULTILINE)
    made = {name.replace("_", " ") for name in thresholds} | set(re.findall(r'"\$\{var.name\}: ([a-z ]+)"', module))
    assert {first for first, *_ in rows(ON_CALL, "Alerts")} - {"alert"} == made


def made_names() -> re.Pattern[str]:
    """The names of what the module makes by default in `example-project`."""
    sources = "\n".join(path.read_text() for path in (ROOT / "terraform").glob("*.tf"))
    told = re.findall(r'^\s*(?:name|account_id) += "(.*\$\{var\.name\}.*)"', sources, re.MULTILINE)
    keys = "|".join(
        ["dead-letters", "findings", "outcomes", *re.findall(r'^    (\w+) += "\w+ .*"$', sources, re.MULTILINE)]
    )
    parts = {"${var.name}": "scc-responder", "${var.project_id}": "example-project", "${each.key}": f"(?:{keys})"}
    for variable, value in parts.items():
        told = [name.replace(variable, value) for name in told]
    return re.compile("|".join(told))


def test_every_resource_name_is_the_modules() -> None:
    """Every name in the pages' commands that begins like the module's is one that the module makes."""
    made = made_names()
    shown = {name for line in LINES for name in re.findall(r"(?:example-project-)?scc-responder-[a-z-]+\b", line)}
    assert {name for name in shown if not made.fullmatch(name) and not name.startswith("scc-responder-0")} == set()
    assert {"scc-responder-push", "scc-responder-journal", "scc-responder-redrive"} <= shown


def test_every_log_filter_selects_a_line(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, object]) -> None:
    """Each filter for Cloud Logging selects a line of a rehearsal or heartbeat, and not one of another service."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", mode="dry_run"))
    printed: list[str] = []
    deployment.services.tell = printed.append
    deployment.respond_to(finding_about(pod))
    deployment.deliver(MESSAGE)
    case = entry(printed[0], "scc-responder")["labels"]["case"]
    filters = [re.findall(r"'([^']+)'", line)[0] for line in LINES if line.startswith("gcloud logging read")]
    for expression in filters:
        selects = parse_filter(expression.replace("0123456789ab", case))
        assert any(selects(entry(line)) for line in printed)
        assert not any(selects(entry(line, "another")) for line in printed)
    assert len(filters) == 3


def test_costs_are_the_measured_numbers() -> None:
    """The numbers are those that are measured; python -m tests.docs.costs writes them anew."""
    page = costs.PAGE.read_text()
    assert costs.written(page) == page, costs.COMMAND
    assert page.count("\n| ") > len(costs.RESPONSES)


NUMBERS = {2: "two", 4: "four"}


def test_rates_follow_from_the_defaults() -> None:
    """What the page says in sentences follows from the module's defaults, too."""
    page, given = costs.PAGE.read_text(), rates.defaults()
    assert f"after {given.first_wait} to {given.longest_wait}\nseconds" in page
    assert f"After {given.deliveries} deliveries, which is about {NUMBERS[round(given.hours)]} hours" in page
    share = f"{NUMBERS[given.concurrency]} findings share an instance"
    assert f"{given.cpu} vCPU and {given.memory.removesuffix('Mi')} MiB while it works; {share}" in page


def test_rates_follow_the_defaults() -> None:
    """With other defaults the page would say something else."""
    given = rates.defaults()._replace(max_instances=10, concurrency=8)
    assert (given.at_once, given.per_second) == (80, 20)
    assert f"= {rates.defaults().at_once} findings" in rates.told(21)
    assert "25,200 where one fleet has all of them: **over**" in rates._table(20, 21)
    assert "60 to 120 |" in rates._table(1, 21)


@pytest.mark.parametrize("name", costs.RESPONSES)
def test_store_requests_stay_within_the_page(name: str) -> None:
    """No response takes more requests to the store, and writes among them, than the page says."""
    actions, _ = costs.RESPONSES[name]
    cost = costs.measured(name)
    assert cost.store_writes <= 2 * len(actions) + 4
    keys = 3 if name == costs.LADDER else 0
    assert cost.store_requests <= 3 * len(actions) + 9 + keys
