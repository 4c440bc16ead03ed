"""Leave secrets out of evidence. Pure.

Values of environment variables are often secrets, and replaced by `redacted` wherever a container's `env` stands, and
with them the copy of the object that `kubectl apply` leaves in an annotation. Names and sources (`valueFrom`) stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REDACTED = "redacted"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MAX_DEPTH = 100


def redact(content: Any, depth: int = 0) -> Any:
    """The content with such values replaced, at any depth that a Kubernetes object may have."""
    if depth > _MAX_DEPTH:
        return "left_out_too_deep"
    if isinstance(content, Mapping):
        return {key: _redacted_field(key, value, depth) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [redact(value, depth + 1) for value in content]
    return content


def _redacted_field(key: str, value: Any, depth: int) -> Any:
    if key == _LAST_APPLIED:
        return REDACTED
    if key == "env" and isinstance(value, list):
        return [_redacted_variable(variable, depth) for variable in value]
    return redact(value, depth + 1)


def _redacted_variable(variable: Any, depth: int) -> Any:
    if isinstance(variable, Mapping) and "value" in variable:
        return {**redact(variable, depth + 1), "value": REDACTED}
    return redact(variable, depth + 1)
