"""Read the YAML that people write, strictly: no anchors, tags or repeated keys, bounded in size and depth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from scc_responder.errors import PolicyError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
_NO_CHOICES: Mapping[str, Iterable[str]] = {}

T = TypeVar("T")


def read_document(path: Path, wanted: type[T], choices: Mapping[str, Iterable[str]] = _NO_CHOICES) -> T:
    """The file's content as `wanted`. Raises PolicyError that names file, place and remedy.

    `choices` are the words that a field may be, by the field's name: what is said where it is another.
    """
    data = load_yaml(_read(path), path.name)
    try:
        return msgspec.convert(data, wanted)
    except msgspec.ValidationError as error:
        raise PolicyError("invalid_policy", f"{path.name}: {_readable(str(error), choices)}") from error


def load_yaml(text: str, name: str) -> Any:
    """The YAML document as plain data. Raises PolicyError with the line of what is not allowed."""
    import yaml  # noqa: PLC0415 - 40 ms that a duplicate's answer need not wait for

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _refuse_indirection(yaml.parse(text, Loader=loader), name)
        node = yaml.compose(text, Loader=loader)
        return None if node is None else _plain(node, loader(""), name)
    except (yaml.YAMLError, ValueError) as error:  # a date or number that is none
        raise PolicyError("invalid_yaml", f"{name}: {error}") from error


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyError("unreadable_file", f"{path.name}: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise PolicyError("file_too_large", f"{path.name}: {len(content)} bytes, at most {MAX_BYTES} are read")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise PolicyError("not_utf8", f"{path.name}: not UTF-8 at byte {error.start}") from error


def _refuse_indirection(events: Any, name: str) -> None:
    depth = 0
    for event in events:
        kind = type(event).__name__
        line = event.start_mark.line + 1
        if kind == "AliasEvent" or getattr(event, "anchor", None):
            raise PolicyError("yaml_anchor", f"{name}:{line}: anchors and aliases are not allowed; write the value out")
        if getattr(event, "tag", None):
            raise PolicyError("yaml_tag", f"{name}:{line}: the tag {event.tag} is not allowed; remove it")
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if depth > MAX_DEPTH + 2:
            raise PolicyError("yaml_too_deep", f"{name}:{line}: nested deeper than {MAX_DEPTH}")


def _plain(node: Any, loader: Any, name: str) -> Any:
    if node.id == "mapping":
        return _mapping(node, loader, name)
    if node.id == "sequence":
        return [_plain(item, loader, name) for item in node.value]
    return loader.construct_object(node, deep=True)


def _mapping(node: Any, loader: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = key_node.value
        if key_node.id != "scalar":
            raise PolicyError("yaml_key", f"{name}:{line}: a key must be a word")
        if key in found:
            raise PolicyError("duplicate_key", f"{name}:{line}: {key!r} stands here twice; remove one")
        found[key] = _plain(value_node, loader, name)
    return found


def _readable(message: str, choices: Mapping[str, Iterable[str]]) -> str:
    """msgspec's message with the path first: `mode: expected one of disabled, dry_run, enforce`."""
    text, found, path = message.rpartition(" - at `$")
    if not found:
        return message
    place = path.rstrip("`").lstrip(".")
    words = choices.get(place.rpartition(".")[2])
    expected = f"; expected one of {', '.join(words)}" if words else ""
    hint = "; YAML reads on, off, yes and no as true or false" if text.endswith("got `bool`") else ""
    return f"{place or 'top level'}: {text}{expected}{hint}"
