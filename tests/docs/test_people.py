"""The reference for on-call says what each command takes, and the module grants operators what it says."""

from __future__ import annotations

import ast
import re

import pytest

from scc_responder.adapters.google.firestore import firestore_store
from tests.docs.examples import ROOT, commands, fenced
from tests.docs.test_guides import ON_CALL, quoted, rows
from tests.terraform.promises import OPERATED

WHERE = ("terraform/docs/on-call.md:", "terraform/docs/on-call-reference.md:")
LINES = [line for one in fenced() if one.where.startswith(WHERE) and one.kind == "sh" for line in commands(one.text)]
TABLE = [row for row in rows(ON_CALL, "What each command takes") if row[0] != "command"]
SHOWN = {command: row for row in TABLE for command in quoted(row[0])}
AS_ANOTHER = {"iam.serviceAccounts.actAs", "iam.serviceAccounts.getAccessToken"}
"""What roles of Google's give operators, on the identities that they act as."""

JOURNAL = (
    "cli/breaker.py",
    "cli/case/__init__.py",
    "cli/control.py",
    "guard/kill_switch.py",
    "journal/journal.py",
    "journal/claimed_case.py",
)
"""What the commands that use the journal do with it."""


def permissions(row: list[str]) -> set[str]:
    """The IAM permissions in a row."""
    return {name for name in quoted(row[1]) if re.fullmatch(r"[a-z]+\.[A-Za-z]+\.[A-Za-z]+", name)}


@pytest.mark.parametrize("line", [line for line in LINES if not line.startswith(("make ", "export "))])
def test_each_command_has_exactly_one_row(line: str) -> None:
    """For each command of the page, exactly one row says what it takes."""
    plain = " ".join(word for word in line.split() if not word.startswith("-"))
    assert len([command for command in SHOWN if f"{plain} ".startswith(f"{command} ")]) == 1


def test_no_other_command() -> None:
    """No row is about a command that the page does not show."""
    plain = [" ".join(word for word in line.split() if not word.startswith("-")) for line in LINES]
    assert [command for command in SHOWN if not any(f"{line} ".startswith(f"{command} ") for line in plain)] == []


@pytest.mark.parametrize("row", TABLE, ids=lambda row: quoted(row[0])[0])
def test_each_row_names_permissions_and_role(row: list[str]) -> None:
    """Each row names permissions, a role of Google's that has them, and Google's page about it."""
    assert permissions(row)
    assert re.search(r"`roles/[a-zA-Z.]+`", row[3])
    assert re.search(r"\]\(https://docs\.cloud\.google\.com/[a-z]", row[3])
    assert row[4].startswith(("yes", "no"))


def test_operators_get_what_rows_grant() -> None:
    """What the rows with a yes take, the module grants operators, and nothing that no row asks for."""
    taken = {name for row in TABLE if row[4] == "yes" for name in permissions(row)}
    assert taken == OPERATED | AS_ANOTHER
    roles = {role for row in TABLE if row[4] == "yes" for role in quoted(row[3])}
    operators = (ROOT / "terraform" / "operators.tf").read_text()
    assert set(re.findall(r'= "(roles/[a-zA-Z.]+)"', operators)) == {
        role for role in roles if role.startswith("roles/iam.")
    }


def test_journal_commands_stay_within_their_row() -> None:
    """The commands that use the journal call the store for nothing but what the permissions of their row allow."""
    allowed = permissions(SHOWN["scc-responder control"])
    asks = {
        "get": firestore_store.GET,
        "get_many": firestore_store.GET,
        "scan": firestore_store.SCAN,
        "create": firestore_store.CREATE,
        "replace": firestore_store.REPLACE,
        "delete": firestore_store.DELETE,
    }
    package = ROOT / "functions" / "scc_responder"
    called = {name for path in JOURNAL for name in store_calls((package / path).read_text())}

    assert {asks[name].permission for name in called - {"close"}} == allowed


def store_calls(source: str) -> set[str]:
    """The methods that a module calls on what it calls a store."""
    return {
        node.func.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value).rpartition(".")[2] in {"store", "_store"}
    }


def test_a_deletion_would_be_noticed() -> None:
    """The test above sees a call that the operators may not make."""
    assert store_calls("def end(self):\n    self._store.delete(key, version)\n") == {"delete"}


def test_the_module_page_names_each_role() -> None:
    """The module's page says which roles each person needs, and leads to this page."""
    page = (ROOT / "terraform" / "README.md").read_text()
    who = {first: cells for first, *cells in rows(page, "Who needs which roles") if first}
    assert {"applies the module", "is on call", "approves", "runs `doctor`", "reads logs and the dashboard"} <= set(who)
    assert "docs/on-call-reference.md#what-each-command-takes" in who["is on call"][1]
    made = "\n".join(path.read_text() for path in (ROOT / "terraform").glob("*.tf"))
    services = {
        "google_artifact_registry_repository": "artifactregistry",
        "google_cloud_scheduler_job": "cloudscheduler",
        "google_cloudfunctions2_function": "cloudfunctions",
        "google_firestore_database": "datastore",
        "google_logging_metric": "logging",
        "google_monitoring_alert_policy": "monitoring",
        "google_project_service": "serviceusage",
        "google_pubsub_topic": "pubsub",
        "google_storage_bucket": "storage",
    }
    assert [kind for kind in services if f'resource "{kind}"' not in made] == []
    assert [name for name in services.values() if f"`roles/{name}." not in who["applies the module"][1]] == []
