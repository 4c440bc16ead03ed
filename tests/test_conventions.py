"""What holds for the whole package: actions explain and prove themselves, and no part outgrows its reader."""

from __future__ import annotations

import ast
import inspect
import re
import statistics
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
import yaml

from scc_responder.actions import Action, actions
from scc_responder.adapters.google.cloud_logging import CloudLogging
from scc_responder.domain.changes import Disruption
from scc_responder.workbench.needed_permissions import permissions_of, rule_of
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.checkout_deployment import aged_world, escape, job_escape, run_deployed, superseded_world
from tests.kits.google.logging_server import LoggingServer
from tests.kits.one_change import IMAGE
from tests.kits.responder import NODE, SPARE_NODE, deployed, finding_about

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "functions" / "scc_responder"
MODULES = sorted(PACKAGE.rglob("*.py"))
BANNED = {"utils", "util", "helpers", "helper", "manager", "common", "base", "core", "misc"}
ACTION_FILES = sorted(
    (path for path in (PACKAGE / "actions").rglob("*.py") if path.stem != "__init__"), key=lambda path: path.stem
)
ON_RUN = [action for action in actions().values() if action.disrupts is Disruption.SERVICES]
ON_CLUSTERS = [action for action in actions().values() if action not in ON_RUN]
each_action = pytest.mark.parametrize("action", actions().values(), ids=lambda action: action.name)
OF_JOBS = {"cancel_execution"}
WORLDS = {"delete_revision": superseded_world}
each_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))


def test_one_file_one_action() -> None:
    """An action's file, its function and its name in policies are one word."""
    assert [path.stem for path in ACTION_FILES] == sorted(actions())
    assert [actions()[path.stem].name for path in ACTION_FILES] == [path.stem for path in ACTION_FILES]
    assert [actions()[path.stem].plan.__name__ for path in ACTION_FILES] == [path.stem for path in ACTION_FILES]


def example(action: Action) -> str:
    """The policy steps in an action's documentation."""
    text = inspect.cleandoc(action.plan.__doc__ or "")
    return textwrap.dedent(text[re.search(r"^ *then:", text, re.MULTILINE).start() :])  # type: ignore[union-attr]


@pytest.mark.parametrize("action", ON_CLUSTERS, ids=lambda action: action.name)
def test_each_actions_example_really_runs(tmp_path: Path, action: Action) -> None:
    """The example in each action's documentation is a policy that loads, and does on a cluster what it says."""
    steps = yaml.safe_load(example(action))["then"]
    head = "name: example\ndescription: d\nowner: o\nmode: enforce\nwhen: {threat: reverse_shell}\n"
    with SimulatedCluster(stop_seconds=0) as cluster, LoggingServer() as logging:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node(NODE))
        cluster.create(objects.node(SPARE_NODE))
        cluster.create(objects.deployment("web", "shop", NODE, replicas=2))
        deployment = deployed(tmp_path, cluster, head + example(action), collector=IMAGE)
        deployment.services.logs = CloudLogging(endpoint=logging.endpoint)
        document = finding_about(cluster.objects("Pod", "shop")[0])
        ending = deployment.respond_to(document)
        used = {(event.rbac_resource, event.verb) for event in cluster.audit if event.verb != "get"}

    record = deployment.case(document)
    assert ending.reason == "done"
    assert list(dict.fromkeys(step.action for step in record.steps)) == [step["action"] for step in steps]
    assert {step.status for step in record.steps} == {"done"}
    assert used <= granted(*[actions()[step["action"]] for step in steps])


@pytest.mark.parametrize("action", ON_RUN, ids=lambda action: action.name)
def test_each_example_of_cloud_run_really_runs(tmp_path: Path, action: Action) -> None:
    """The example in its documentation is a policy that a person approves, and that does what it says."""
    steps = yaml.safe_load(example(action))["then"]
    head = "name: example\ndescription: d\nowner: o\nmode: approve\nwhen: {surface: cloud_run}\n"
    document = job_escape() if action.name in OF_JOBS else escape()
    world = WORLDS.get(action.name, aged_world)()
    with SimulatedCluster() as cluster, run_deployed(tmp_path, cluster, head + example(action), world=world) as running:
        running.respond_to(document)
        assert running.answer(document).reason == "done"
        asked = [step for step in running.case(document).steps if step.policy]
    assert list(dict.fromkeys(step.action for step in asked)) == [step["action"] for step in steps]
    assert {step.status for step in asked} == {"done"}


def granted(*asked: Action) -> set[tuple[str, str]]:
    """(resource, verb) of the RBAC permissions that these actions declare."""
    return {
        (rule_of(permission.name)[1], permission.verb)
        for one in asked
        for permission in permissions_of(one.name)
        if permission.verb
    }


@each_action
def test_each_action_declares_its_permissions(action: Action) -> None:
    """Each action names the permissions it needs; what cannot be undone needs an identity and changes the target."""
    assert action.permissions
    assert action.reversible or (action.needs_identity and not action.observes)


def reasons(tree: ast.AST) -> Iterator[str]:
    """The reasons in an action's code, by the names of their words."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Reason":
            yield node.attr


@pytest.mark.parametrize("path", ACTION_FILES, ids=lambda path: path.stem)
def test_reasons_are_tested(path: Path) -> None:
    """Every reason that an action can give is expected by the action's own tests."""
    tests = ROOT / "tests" / path.parent.relative_to(PACKAGE) / f"test_{path.stem}.py"
    expected = tests.read_text() if tests.exists() else ""
    words = set(reasons(ast.parse(path.read_text())))
    assert [word for word in sorted(words) if word not in expected and word.lower() not in expected] == []


@cache
def functions(path: Path) -> Sequence[tuple[str, int]]:
    """Each function of a module and its length in lines, without its docstring."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            found.append((node.name, (node.end_lineno or 0) - first.lineno + 1))
    return found


@each_module
def test_no_part_outgrows_its_reader(path: Path) -> None:
    """A module has fewer than 300 lines, a function at most 50. The reasons are a table, to look one word up in."""
    assert len(path.read_text().splitlines()) < 300 or path.parent.name == "reasons"
    assert [name for name, length in functions(path) if length > 50] == []


def test_most_functions_are_short() -> None:
    """Half of all functions have at most 10 lines, nine in ten at most 30."""
    lengths = [length for path in MODULES for _, length in functions(path)]
    assert statistics.median(lengths) <= 10
    assert statistics.quantiles(lengths, n=10)[8] <= 30


@each_module
def test_no_module_has_an_empty_name(path: Path) -> None:
    """No module is named after nothing in particular."""
    assert path.stem not in BANNED


@each_module
def test_every_public_part_is_documented(path: Path) -> None:
    """Every public module, class and function says what it is for."""
    tree = ast.parse(path.read_text())
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    public = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
    assert ast.get_docstring(tree)
    assert [node.name for node in public if not ast.get_docstring(node)] == []
