"""Leave secrets out of evidence, and say what was left out. Pure.

Some places hold secrets whatever they look like: `env`, annotations, HTTP headers of probes, options of volume drivers.
All other text is looked through (`secret_text.py`). Names, sources (`valueFrom`), paths, images, hashes and UIDs stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from scc_responder.domain.labels import PREFIX
from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import Value
from scc_responder.execute.evidence.secret_text import (
    REDACTED,
    RedactionRule,
    names_place,
    names_secret,
    redact_text,
    redact_words,
)

_MAX_DEPTH = 100
_PLAIN_KEY = LatePattern(r"[A-Za-z_][A-Za-z0-9_]*")
_HARMLESS_ANNOTATIONS = LatePattern(
    re.escape(PREFIX) + r".*|kubernetes\.io/(?:config\.(?:hash|mirror|seen|source)|psp|limit-ranger|change-cause)"
    r"|kubectl\.kubernetes\.io/(?:restartedAt|default-container)|deployment\.kubernetes\.io/.*"
    r"|container\.googleapis\.com/instance_id|cluster-autoscaler\.kubernetes\.io/.*|cni\.projectcalico\.org/.*"
    r"|(?:seccomp\.security\.alpha|container\.apparmor\.security\.beta|autoscaling)\.kubernetes\.io/.*"
    r"|volumes\.kubernetes\.io/.*|node\.alpha\.kubernetes\.io/ttl|(?:node|networking|autopilot)\.gke\.io/.*"
    r"|k8s\.v1\.cni\.cncf\.io/.*|(?:v1\.)?multus-cni\.io/.*|prometheus\.io/.*|sidecar\.istio\.io/.*"
)
_IDENTITIES = frozenset(
    {"kind", "apiVersion", "uid", "image", "imageID", "image_id", "containerID", "resourceVersion", "systemUUID"}
    | {"sha256", "hash", "path", "binary", "names", "environ_names", "key"}
    | {"category", "threat", "rule", "indicators", "mitre_techniques"}
)
_COMMAND_LINE = LatePattern(r"\w*(?:args|argv|arguments|command|cmd|(?:cmd|command_?)line)", re.IGNORECASE | re.ASCII)
"""A field of this name that holds words is a command line, and so is a list in which an option stands."""
_VARIABLES = LatePattern(r"(?:process_?)?(?:envs?|environ|environment)(?:_?var(?:iable)?s?)?", re.IGNORECASE | re.ASCII)
_LABELS = frozenset({"labels", "matchLabels", "nodeSelector", "namespace_labels"})
"""Of these, `env` and `environment` are names like any other."""
_DRIVER_OPTIONS = frozenset(
    {"volumeAttributes", "nodePublishSecretRef", "nodeStageSecretRef", "controllerPublishSecretRef", "stringData"}
)
_SECRET_OF_CLOUD_RUN = ("secretKeyRef", "secret")
"""The field that names a secret in Secret Manager. Source: google/cloud/run/v2 `SecretKeySelector`."""
_REFERENCES = frozenset({"kind", "apiVersion", "uid", "key", "audience"})
"""What is said of a secret that stands elsewhere, with the names of places."""


class Redaction(Value, frozen=True, kw_only=True):
    """What was left out: the JSON path of the value in the stored object, and why."""

    path: str
    rule: RedactionRule


class Redacted(Value, frozen=True, kw_only=True):
    """JSON data without secrets, and what was left out of it."""

    content: Any
    redactions: tuple[Redaction, ...]


def redact(content: Any) -> Redacted:
    """The content as JSON data without secrets, at any depth that a Kubernetes object may have."""
    walk = _Walk()
    kept = walk.value(msgspec.to_builtins(content), "$", "", 0)
    return Redacted(content=kept, redactions=tuple(walk.redactions))


class _Walk:
    """One pass over one content."""

    def __init__(self) -> None:
        self.redactions: list[Redaction] = []

    def value(self, value: Any, path: str, key: str, depth: int) -> Any:
        """What is kept of a value that stands in the field `key`."""
        if depth > _MAX_DEPTH:
            return "left_out_too_deep"
        if isinstance(value, Mapping):
            return self._mapping(value, path, key, depth)
        if _is_words(value) and any(word.startswith("-") for word in value):
            return self._words({path: value})[path]
        if isinstance(value, list | tuple):
            return [self.value(item, f"{path}[{number}]", key, depth + 1) for number, item in enumerate(value)]
        return self._text(value, path, key, depth) if isinstance(value, str) else value

    def _mapping(self, fields: Mapping[str, Any], path: str, key: str, depth: int) -> dict[str, Any]:
        lines = {
            _below(path, name): item
            for name, item in fields.items()
            if _COMMAND_LINE.fullmatch(name) and _is_words(item)
        }
        program = fields.get("binary")
        words = self._words(lines, str(program.get("path", "") if isinstance(program, Mapping) else program or ""))
        names_one = not {"operator", "effect"} & fields.keys() and any(
            isinstance(fields.get(name), str) and names_secret(fields[name]) for name in ("name", "key")
        )
        kept: dict[str, Any] = {}
        for name, item in fields.items():
            below = _below(path, name)
            if names_one and name in ("value", "val"):
                kept[name] = self._leave_out(item, below, RedactionRule.NAMED_SECRET)
            else:
                kept[self._key(name, below)] = (
                    words[below] if below in words else self._field(name, item, below, key, depth)
                )
        return kept

    def _key(self, name: str, path: str) -> str:
        """The name of a field, which may be a text: managed fields name the items of lists by their content."""
        if _PLAIN_KEY.fullmatch(name) or not any(letter in name for letter in '"= '):
            return name
        return self._text(name, path, "key", 0)

    def _field(self, name: str, item: Any, path: str, parent: str, depth: int) -> Any:
        if _VARIABLES.fullmatch(name) and parent not in _LABELS and not isinstance(item, int):
            return self._each(item, path, self._variable, depth)
        if name == "httpHeaders":
            return self._each(item, path, self._header, depth)
        if name == "annotations" and isinstance(item, Mapping):
            return {key: self._annotation(key, value, _below(path, key), depth) for key, value in item.items()}
        if name in _DRIVER_OPTIONS or (name == "options" and parent == "flexVolume"):
            return self._leave_out(item, path, RedactionRule.VOLUME_OPTION)
        return self._perhaps_secret(name, item, path, parent, depth)

    def _perhaps_secret(self, name: str, item: Any, path: str, parent: str, depth: int) -> Any:
        """What is kept of a field that holds a secret if its name, or the name of what it stands in, says so."""
        is_secret = (names_secret(name) and (parent, name) != _SECRET_OF_CLOUD_RUN) or (
            names_secret(parent) and isinstance(item, str) and name not in _REFERENCES and not names_place(name)
        )
        if is_secret and _is_scalar(item):
            return self._leave_out(item, path, RedactionRule.NAMED_SECRET)
        if is_secret and isinstance(item, list | tuple) and all(map(_is_scalar, item)):
            return [self._leave_out(each, f"{path}[{at}]", RedactionRule.NAMED_SECRET) for at, each in enumerate(item)]
        return self.value(item, path, name, depth + 1)

    def _each(self, items: Any, path: str, keep: Callable[[Any, str, int], Any], depth: int) -> Any:
        if isinstance(items, list | tuple):
            return [keep(item, f"{path}[{number}]", depth + 1) for number, item in enumerate(items)]
        return self._leave_out(items, path, RedactionRule.ENVIRONMENT)

    def _variable(self, variable: Any, path: str, depth: int) -> Any:
        if isinstance(variable, str):
            name, sign, _ = variable.partition("=")
            self._note(path, RedactionRule.ENVIRONMENT)
            return f"{name}={REDACTED}" if sign else REDACTED
        return self._named_value(variable, path, RedactionRule.ENVIRONMENT, depth)

    def _header(self, header: Any, path: str, depth: int) -> Any:
        return self._named_value(header, path, RedactionRule.HTTP_HEADER, depth)

    def _named_value(self, item: Any, path: str, rule: RedactionRule, depth: int) -> Any:
        if not isinstance(item, Mapping):
            return self.value(item, path, "", depth)
        return {
            name: self._leave_out(value, _below(path, name), rule)
            if name in ("value", "val")
            else self.value(value, _below(path, name), name, depth + 1)
            for name, value in item.items()
        }

    def _annotation(self, key: str, value: Any, path: str, depth: int) -> Any:
        if _HARMLESS_ANNOTATIONS.fullmatch(key) and not names_secret(key.rpartition("/")[2]):
            return self.value(value, path, "", depth + 1)
        return self._leave_out(value, path, RedactionRule.ANNOTATION)

    def _leave_out(self, value: Any, path: str, rule: RedactionRule) -> Any:
        """`redacted`, or the same mapping with each value redacted: its keys say what it was given."""
        if isinstance(value, Mapping):
            return {name: self._leave_out(item, _below(path, name), rule) for name, item in value.items()}
        self._note(path, rule)
        return REDACTED

    def _words(self, lists: Mapping[str, Sequence[str]], program: str = "") -> dict[str, list[str]]:
        """Lists of words by their paths, looked through as one line: the command says what its arguments mean."""
        before = [program] if program else []
        if not lists:
            return {}
        kept = redact_words([*before, *(word for words in lists.values() for word in words)])[len(before) :]
        return {
            path: [self._word(word, *kept.pop(0), f"{path}[{number}]") for number, word in enumerate(words)]
            for path, words in lists.items()
        }

    def _word(self, word: str, text: str, rules: Sequence[RedactionRule], path: str) -> str:
        nested = self._nested(word, path, 0) if text != REDACTED else None
        for rule in rules if nested is None else ():
            self._note(path, rule)
        return text if nested is None else nested

    def _text(self, text: str, path: str, key: str, depth: int) -> str:
        nested = self._nested(text, path, depth)
        if nested is not None:
            return nested
        kept, rules = redact_text(text, opaque=key not in _IDENTITIES)
        for rule in rules:
            self._note(path, rule)
        return kept

    def _nested(self, text: str, path: str, depth: int) -> str | None:
        """A JSON text with its secrets redacted. None where it is no JSON, or holds none."""
        if text.lstrip()[:1] not in ("{", "["):
            return None
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            return None
        before = len(self.redactions)
        kept = self.value(content, path, "", depth + 1)
        return json.dumps(kept) if len(self.redactions) > before else None

    def _note(self, path: str, rule: RedactionRule) -> None:
        self.redactions.append(Redaction(path=path, rule=rule))


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}[{json.dumps(key)}]"


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and bool(value)


def _is_words(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(word, str) for word in value)
