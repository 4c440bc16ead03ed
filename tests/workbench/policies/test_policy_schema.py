"""The schemas that editors use say what the loader says, and the committed ones are those of the code."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scc_responder.actions import actions
from scc_responder.domain.errors import PolicyError
from scc_responder.workbench.policies.policy_lint import SCHEMA_LINE
from scc_responder.workbench.policies.policy_schema import FILE_KINDS, schema, schema_text
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.rule_mistakes import VOCABULARIES
from scc_responder.workbench.policy_files.strict_yaml import load_yaml
from tests.cli import beginners
from tests.kits.as_shipped import ROOT
from tests.kits.responder import ALL, SHIPPED, policy
from tests.workbench.policy_files.test_type_mistakes import RAILS

SCHEMAS = ROOT / "policies" / ".schema"
WHOLE = policy(*ALL[:-2], "delete_pod {grace_period_seconds: 5}", "notify") + "unless: {labels: {app: [a, b]}}\n"


def faults(kind: str, text: str) -> list[str]:
    """What the schema refuses in a file."""
    validator = jsonschema.Draft7Validator(schema(kind), format_checker=jsonschema.FormatChecker())
    return [error.message for error in validator.iter_errors(as_json(load_yaml(text, "x")))]


def as_json(data: Any) -> Any:
    """A document as an editor sees it: a date is a text."""
    if isinstance(data, dict):
        return {key: as_json(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_json(item) for item in data]
    return data.isoformat() if isinstance(data, date) else data


def kind_of(path: Path) -> str:
    """Which schema a file is read by."""
    own = {"guardrails.yaml": "guardrails", "guardrails.test.yaml": "guardrails-test"}
    return own.get(path.name) or ("test" if ".test." in path.name else "policy")


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_committed_schemas_are_the_codes_own(kind: str) -> None:
    """The committed schemas are those of the code: scc-responder policy schema --write policies/.schema."""
    assert (SCHEMAS / f"{kind}.json").read_text() == schema_text(kind)


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_they_are_schemas(kind: str) -> None:
    """Each is a schema of draft 7, in which nothing stands beside a reference, where editors overlook it."""
    made = schema(kind)
    jsonschema.Draft7Validator.check_schema(made)
    for part in parts(made):
        assert "$ref" not in part or set(part) == {"$ref"}


def parts(value: Any) -> list[dict[str, Any]]:
    """Every mapping in a schema."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [*([value] if isinstance(value, dict) else []), *(part for item in inner for part in parts(item))]


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_files_satisfy_their_schema(path: Path) -> None:
    """An editor finds nothing wrong with what is shipped."""
    assert faults(kind_of(path), path.read_text()) == []


def test_all_of_the_language() -> None:
    """An editor finds nothing wrong with what the loader takes."""
    assert faults("policy", WHOLE) == []
    assert faults("policy", beginners.RIGHT) == []
    assert faults("guardrails", RAILS) == []


UNSEEN = {"colon-in-a-text", "misspelt-fact-in-a-condition", "foreign-label"}
SEEN = [name for name in beginners.MISTAKES if name not in UNSEEN]


@pytest.mark.parametrize("name", SEEN)
def test_mistakes_are_seen_while_typing(name: str) -> None:
    """What the loader refuses for its shape, the editor marks."""
    assert faults("policy", beginners.broken(name))


WRONG = [
    pytest.param("policy", ("action: label_pod", "action: lable_pod"), id="action"),
    pytest.param("policy", ("grace_period_seconds: 5", "grace_period_seconds: -1"), id="too-small"),
    pytest.param("policy", ("grace_period_seconds: 5", "grace_period_seconds: 5s"), id="no-number"),
    pytest.param("policy", ("grace_period_seconds: 5", "graceful: 5"), id="parameter"),
    pytest.param("policy", ("action: notify", "action: notify\n    with: {whom: me}"), id="parameter-of-none"),
    pytest.param("policy", ("action: notify", "action: notify\n    needs: [x]"), id="needs"),
    pytest.param("policy", ("threat: reverse_shell", "threat: reverse_shel"), id="threat"),
    pytest.param("policy", ("threat: reverse_shell", "surface: [pod, nod]"), id="surface"),
    pytest.param("policy", ("threat: reverse_shell", "namespace: []"), id="empty-list"),
    pytest.param("policy", ("threat: reverse_shell", "labels: {app: 1.4}"), id="label"),
    pytest.param("policy", ("  threat: reverse_shell", "  {}"), id="no-condition"),
    pytest.param("policy", ("mode: enforce", "mode: full"), id="mode"),
    pytest.param("policy", ("owner:", "ownr:"), id="field"),
    pytest.param("guardrails", ("expires: 2026-12-31", "expires: soon"), id="date"),
    pytest.param("guardrails", ("most: 1,", "most: 0,"), id="most"),
    pytest.param("guardrails", ("within: 1h", "within: 1w"), id="within"),
    pytest.param("guardrails", ("expires: 1h", "expires: 1 hour"), id="expires"),
    pytest.param("guardrails", ("mon, tue", "monday"), id="day"),
]


CASES = """\
policy: contain
cases:
  - name: acts
    finding: reverse_shell
    with: {severity: LOW, pods: [{namespace: shop, name: web}], marks: null}
    given: {pod: {owners: [], labels: {app: null}}, node: null}
    age: 5m
    expect: {then: [notify]}
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("severity: LOW", "severity: LWO"),
        ("severity: LOW", "severty: LOW"),
        ("pods: [{", "pods: [{uid: x, "),
        ("marks: null", "marks: 3"),
        ("owners: []", "ownres: []"),
        ("app: null", "app: 3"),
        ("node: null", "nod: null"),
        ("age: 5m", "age: soon"),
        ("expect:", "expct:"),
    ],
)
def test_a_wrong_case_fails_its_schema(right: str, wrong: str) -> None:
    """What a case changes of a finding and of its target is completed and checked as one types."""
    assert faults("test", CASES) == []
    assert faults("test", CASES.replace(right, wrong))


def test_scopes_and_cases_of_guardrails_have_schemas() -> None:
    """An editor helps with every file that people write."""
    assert faults("scope", "max_mode: approve\nnamespaces: [shop]\n") == []
    assert faults("scope", "max_mode: approve\nnamespace: [shop]\n")
    case = "cases:\n  - {name: x, finding: f, do: [notify], times: 3, expect: {then: [notify]}}\n"
    assert faults("guardrails-test", case) == []
    assert faults("guardrails-test", case.replace("times: 3", "times: 0"))


@pytest.mark.parametrize(("kind", "change"), WRONG)
def test_each_wrong_file_fails_its_schema(kind: str, change: tuple[str, str]) -> None:
    """Each is right, until one thing is changed in it."""
    right = {"policy": WHOLE, "guardrails": RAILS}[kind]
    assert change[0] in right
    assert faults(kind, right) == []
    assert faults(kind, right.replace(*change))


def test_every_action_is_offered() -> None:
    """Each action is completed with what it does, and its parameters are its own."""
    step = schema("policy")["$defs"]["PolicyStep"]
    offered = {choice["const"]: choice["description"] for choice in step["properties"]["action"]["oneOf"]}
    assert set(offered) == set(actions())
    assert all(text.endswith(".") for text in offered.values())
    typed = {part["if"]["properties"]["action"]["const"]: part["then"] for part in step["allOf"]}
    assert typed["delete_pod"] == {"properties": {"with": {"$ref": "#/$defs/DeletePodParams"}}}


def test_every_word_is_offered() -> None:
    """Threats, surfaces and the other closed vocabularies are completed."""
    when = schema("policy")["$defs"]["Match"]["properties"]
    for name, words in VOCABULARIES.items():
        assert when[name]["anyOf"][0]["anyOf"][0]["enum"] == list(words())


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.name)
def test_line_one_names_the_schema(path: Path) -> None:
    """Every shipped file names its schema in line 1, and it is a committed one."""
    line = path.read_text().splitlines()[0]
    assert line == SCHEMA_LINE.format(kind=kind_of(path))
    assert json.loads((ROOT / "policies" / line.partition("$schema=")[2]).read_text()) == schema(kind_of(path))


@pytest.mark.parametrize("name", beginners.MISTAKES)
def test_the_loader_refuses_them_too(tmp_path: Path, name: str) -> None:
    """No mistake that a beginner makes loads."""
    (tmp_path / "guardrails.yaml").write_text(beginners.GUARDRAILS)
    (tmp_path / "contain-reverse-shell.yaml").write_text(beginners.broken(name))
    with pytest.raises(PolicyError):
        load_policies(tmp_path)
