"""Evidence holds no secret values, and all else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scc_responder.execute.evidence.redaction import redact

CANARY = "canary-4f6c"

SECRETS: dict[str, dict[str, Any]] = {
    "a container": {"spec": {"containers": [{"env": [{"name": "TOKEN", "value": CANARY}]}]}},
    "an init container": {"spec": {"initContainers": [{"env": [{"name": "TOKEN", "value": CANARY}]}]}},
    "an ephemeral container": {"spec": {"ephemeralContainers": [{"env": [{"name": "TOKEN", "value": CANARY}]}]}},
    "an owner's template": {
        "spec": {"template": {"spec": {"containers": [{"env": [{"name": "T", "value": CANARY}]}]}}}
    },
    "a nested value": {"spec": {"containers": [{"env": [{"name": "TOKEN", "value": {"deep": [CANARY]}}]}]}},
    "the applied copy": {
        "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"env": CANARY})}}
    },
}


@pytest.mark.parametrize("item", list(SECRETS.values()), ids=list(SECRETS))
def test_values_of_environment_variables_are_not_kept(item: dict[str, Any]) -> None:
    """Evidence is read by more people than secrets are."""
    kept = json.dumps(redact(item))
    assert CANARY not in kept
    assert "redacted" in kept


def test_what_tells_the_story_is_kept() -> None:
    """Names of variables, where values come from, commands and arguments."""
    container = {
        "name": "app",
        "command": ["sh", "-c", "curl 192.0.2.1"],
        "env": [{"name": "HOME"}, {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}}, "odd"],
    }
    item = {"metadata": {"annotations": {"env": "prod"}}, "spec": {"containers": [container]}}
    assert redact(item) == item


def test_an_object_nested_without_end_is_cut() -> None:
    """An owner can be of any shape."""
    item: dict[str, Any] = {}
    for _ in range(500):
        item = {"spec": item, "list": [1]}
    assert "left_out_too_deep" in json.dumps(redact(item))
