"""The guardrails' lists in CEL mean what they mean to the responder: to the API server, and to CEL's own library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cel_expr_python.cel import NewEnv, Type
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scc_responder.actions import AllowedKeys
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.wildcards import matches
from scc_responder.policy.guardrails import Guardrails, Protected
from scc_responder.workbench.admission import BEGINS, fits, lists, literal, with_lists
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.admission.installed import Installed
from tests.admission.kustomize import FOLDER
from tests.cluster import objects
from tests.cluster.polling import wait_until
from tests.kits.responder import policy, write_policies

ALPHABET = "ab-*?/.[]\\+(){}^$|\"'\n ä\U0001f40d"
LINE_ENDS = ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x1e", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff"]
"""What YAML, CEL or Python takes for the end of a line, or does not take at all."""
SHIPPED_POLICY = (FOLDER / "admission.yaml").read_text()
PLAIN = ALPHABET[:-1]
"""What the test's client can send in an apply request."""
patterns = st.lists(st.text(ALPHABET, max_size=8), min_size=1, max_size=4)
texts = st.text(ALPHABET, max_size=8)
ENVIRONMENT = NewEnv(variables={"text": Type.STRING})


def in_cel(expression: str, text: str) -> bool:
    """What CEL makes of the expression."""
    return bool(ENVIRONMENT.compile(expression).eval(data={"text": text}).value())


@given(patterns, texts)
def test_patterns_match_alike_in_cel(given_patterns: list[str], text: str) -> None:
    """A text fits in CEL exactly if it fits for the responder, whatever characters there are."""
    expected = any(matches(pattern, text) for pattern in given_patterns)
    assert in_cel(fits(given_patterns, "text"), text) is expected


@given(st.text(ALPHABET, max_size=6), st.data())
def test_texts_made_to_fit(pattern: str, data: st.DataObject) -> None:
    """Texts made from the pattern: random ones seldom fit."""
    fill = {"*": st.text("ab/\n", max_size=3), "?": st.text("a/\n", min_size=1, max_size=1)}
    text = "".join(data.draw(fill[character]) if character in fill else character for character in pattern)
    assert in_cel(fits([pattern], "text"), text) is matches(pattern, text)


@pytest.mark.parametrize("text", ["", "/", "a", "a/", "/a", "a/b", "a/b/c", "b/a", "a/\n/b", "ab"])
@pytest.mark.parametrize("pattern", ["**", "a/**", "**/b", "a/**/b", "**/**", "a**", "**a/*"])
def test_any_depth_is_any_depth_in_cel(pattern: str, text: str) -> None:
    """`**` between slashes stands for one segment or more, and beside other characters for what `*` does."""
    assert in_cel(fits([pattern], "text"), text) is matches(pattern, text)


def test_nothing_fits_an_empty_list() -> None:
    """Where nothing is listed, nothing is protected."""
    assert fits([], "text") == "false"


@given(st.lists(st.tuples(st.text(PLAIN, max_size=6), st.text(PLAIN, max_size=6)), min_size=30, max_size=30))
@settings(max_examples=3, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_patterns_on_the_api_server(probe: Probe, pairs: list[tuple[str, str]]) -> None:
    """The API server's own engine, which is another one, agrees."""
    assert probe.ask(pairs) == [matches(pattern, text) for pattern, text in pairs]


class Probe:
    """A policy that says which of its texts fit, instead of admitting a ConfigMap."""

    def __init__(self, installed: Installed) -> None:
        self.installed, self.asked = installed, 0
        self.name = f"probe-{installed.namespace}"
        self.path = f"/api/v1/namespaces/{installed.namespace}/configmaps"
        selector = {"matchLabels": {"kubernetes.io/metadata.name": installed.namespace}}
        spec = {
            "policyName": self.name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": selector},
        }
        self._apply("ValidatingAdmissionPolicyBinding", spec)

    def _apply(self, kind: str, spec: dict[str, Any]) -> None:
        head = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": self.name}}
        self.installed.set_policy({**head, "spec": spec})

    def ask(self, pairs: list[tuple[str, str]]) -> list[bool]:
        """Whether each text fits its pattern, by the API server."""
        self.asked += 1
        head = f"asked {self.asked}: "
        answers = " + ".join(f"string({fits([pattern], literal(text))}) + ' '" for pattern, text in pairs)
        rule = {"resources": ["configmaps"], "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
        validation = {"expression": "false", "messageExpression": f"{literal(head)} + {answers}"}
        self._apply(
            "ValidatingAdmissionPolicy",
            {"matchConstraints": {"resourceRules": [rule]}, "validations": [validation]},
        )
        told = wait_until(lambda: self._told(head), what="the policy to be in force")
        return [word == "true" for word in told.split()]

    def _told(self, head: str) -> str:
        answer = self.installed.plane.admin.send("POST", self.path, {"metadata": {"name": "any"}}, dryRun="All")
        return str(answer.body.get("message", "")).partition(head)[2]

    def remove(self) -> None:
        for resource in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
            self.installed.plane.admin.delete(f"/apis/admissionregistration.k8s.io/v1/{resource}/{self.name}")


@pytest.fixture(scope="module")
def probe(shipped: Installed) -> Iterator[Probe]:
    made = Probe(shipped)
    yield made
    made.remove()


def test_lists_in_force(shipped: Installed, tmp_path: Path) -> None:
    """Other guardrails: nodes, keys and namespaces are held to them, and Google's agents to their own list."""
    admin = shipped.plane.admin
    nodes = [objects.create_node(admin)["metadata"]["name"] for _ in range(2)]
    agent = objects.pod("anetd-x7k2p", "kube-system", nodes[0])
    other = objects.pod(f"anetdless-{shipped.namespace}".replace("anetdless", "web"), "kube-system", nodes[0])
    pods = [f"/api/v1/namespaces/kube-system/pods/{admin.create(pod)['metadata']['name']}" for pod in (agent, other)]
    rails = Guardrails(
        protected=Protected(nodes=(f"{nodes[0][:-1]}?",)),
        allowed_keys=AllowedKeys(labels=("team",), annotations=("example.com/note",)),
    )
    _apply_rails(shipped, rails, nodes[0])
    try:
        told = {
            what: str(shipped.send(shipped.names["email"], "PATCH", path, body).body.get("message", "admitted"))
            for what, path, body in (
                ("node", f"/api/v1/nodes/{nodes[0]}", {"spec": {"unschedulable": True}}),
                ("other node", f"/api/v1/nodes/{nodes[1]}", {"spec": {"unschedulable": True}}),
                ("agent", pods[0], {"metadata": {"labels": {"scc-responder/case": "a"}}}),
                ("not protected now", pods[1], {"metadata": {"labels": {"scc-responder/case": "a"}}}),
                ("label", pods[1], {"metadata": {"labels": {"team": "a"}}}),
                ("annotation", pods[1], {"metadata": {"annotations": {"example.com/note": "a"}}}),
                ("annotation as label", pods[1], {"metadata": {"labels": {"example.com/note": "a"}}}),
                ("pod's key on a node", f"/api/v1/nodes/{nodes[1]}", {"metadata": {"labels": {"team": "a"}}}),
            )
        }
    finally:
        for path in (*pods, *(f"/api/v1/nodes/{name}" for name in nodes)):
            admin.delete(path)
    assert {what: words.rpartition("denied request: ")[2] for what, words in told.items()} == {
        "node": "the node is protected",
        "other node": "admitted",
        "agent": "the pod is one of Google's agents",
        "not protected now": "admitted",
        "label": "admitted",
        "annotation": "admitted",
        "annotation as label": "only labels under scc-responder/, and those that guardrails.yaml allows, may be set",
        "pod's key on a node": "only labels under scc-responder/, and those that guardrails.yaml allows, may be set",
    }


def _apply_rails(installed: Installed, rails: Guardrails, node: str) -> None:
    """Let the API server go by other guardrails, as the written file has them."""
    lists = yaml.safe_load(with_lists((FOLDER / "admission.yaml").read_text(), rails).partition("---")[0])
    policy = next(item for item in installed.manifests if item["metadata"]["name"].startswith("scc-responder-acts"))
    installed.set_policy({**policy, "spec": {**policy["spec"], "variables": lists["spec"]["variables"]}})
    installed.switch("enforce")
    path, body = f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}}
    wait_until(
        lambda: "protected" in str(installed.send(installed.names["email"], "PATCH", path, body, dryRun="All").body),
        what="the lists to be in force",
    )


WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(LINE_ENDS), max_size=8), max_size=3)


@given(WORDS)
@settings(max_examples=30)
def test_any_text_stays_where_it_is_put(words: list[str]) -> None:
    """Whatever is listed is read back from the YAML as it was, and changes nothing around it."""
    listed = tuple(words)
    rails = Guardrails(
        protected=Protected(namespaces=listed, nodes=listed),
        allowed_keys=AllowedKeys(labels=listed, annotations=listed),
    )
    before, after = (variables(text) for text in (SHIPPED_POLICY, with_lists(SHIPPED_POLICY, rails)))
    expected = dict(lists(rails))
    assert after == {**before, **expected}
    for name in ("allowedLabels", "allowedAnnotations"):
        made = ENVIRONMENT.compile(after[name]).eval(data={}).value()
        assert [item.value() for item in made] == sorted(set(words))


def variables(text: str) -> dict[str, str]:
    """The variables of the policy by name, in a document that is otherwise the shipped one."""
    documents = list(yaml.safe_load_all(text))
    found = documents[0]["spec"].pop("variables")
    shipped = list(yaml.safe_load_all(SHIPPED_POLICY))
    del shipped[0]["spec"]["variables"]
    assert documents == shipped
    return {variable["name"]: variable["expression"] for variable in found}


FIELDS = [
    pytest.param("protected: {{namespaces: [{}]}}", id="namespace"),
    pytest.param("protected: {{nodes: [{}]}}", id="node"),
    pytest.param("protected: {{namespaces: []}}\nallowed_keys: {{labels: [{}]}}", id="label"),
    pytest.param("protected: {{namespaces: []}}\nallowed_keys: {{annotations: [{}]}}", id="annotation"),
]


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
@pytest.mark.parametrize("field", FIELDS)
def test_no_file_lists_a_line_end(field: str, end: str, tmp_path: Path) -> None:
    """What Kubernetes would never have in a name is refused where it is written, before anything is generated."""
    rails = field.format(json.dumps(f"a{end}b"))
    with pytest.raises(PolicyError, match=r"guardrails\.yaml:\d+"):
        load_policies(write_policies(tmp_path / "p", policy("label_pod"), guardrails=rails))


def test_no_place_for_the_lists() -> None:
    """An admission policy without the two lines around its lists is refused, and not written over."""
    text = (FOLDER / "admission.yaml").read_text()
    with pytest.raises(ValueError, match="Generated from"):
        with_lists(text.replace(BEGINS, ""), Guardrails(protected=Protected()))
