"""Messages that are as large as they may be, each large in another place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from scc_responder.intake.envelope import MAX_DATA_BYTES
from tests.findings import notification

MEGABYTE = 1_000_000
ROOM = 505_000
"""Bytes to fill, which with the rest of the notification stay within what is parsed."""

# Where it is large, and with what; `{}` becomes a number, so that no two items are the same.
_LISTS: Mapping[str, tuple[str, Any]] = {
    "processes": ("processes", {"binary": {"path": "/{}"}, "args": ["\u00e9\u202e" * 20] * 5}),
    "libraries": ("processes.0.libraries", {"path": "/{}.so", "sha256": "a" * 64}),
    "arguments": ("processes.0.args", '"{}"'),
    "environment": ("processes.0.envVariables", {"name": "N{}", "val": "v"}),
    "files": ("files", {"path": '"/{}"', "operations": [{"type": "OPEN"}] * 3}),
    "operations": ("files.0.operations", {"type": "T{}"}),
    "containers": ("containers", {"name": "c{}"}),
    "pods": ("kubernetes.pods", {"ns": "shop", "name": "p-{}"}),
    "pods without names": ("kubernetes.pods", {"ns": "shop"}),
    "pods of bad names": ("kubernetes.pods", {"ns": "shop", "name": "../{}"}),
    "containers of a pod": ("kubernetes.pods.0.containers", {"name": "c{}", "uri": "u"}),
    "nodes": ("kubernetes.nodes", {"name": "//compute.googleapis.com/projects/p/zones/z/instances/n-{}"}),
    "roles": ("kubernetes.roles", {"kind": "CLUSTER_ROLE", "name": "r{}"}),
    "bindings": ("kubernetes.bindings", {"name": "b{}", "subjects": [{"kind": "USER", "name": "u"}] * 3}),
    "subjects": ("kubernetes.bindings.0.subjects", {"kind": "GROUP", "name": "g{}"}),
    "objects": ("kubernetes.objects", {"kind": "Secret", "name": "s{}"}),
    "access reviews": ("kubernetes.accessReviews", {"verb": "get", "resource": "r{}"}),
    "affected resources": (
        "sourceProperties.affectedResources",
        {"gcpResourceName": "//k8s.io/core/v1/namespaces/{}/pods/"},
    ),
    "affected clusters": (
        "sourceProperties.affectedResources",
        {"gcpResourceName": "//container.googleapis.com/projects/p/zones/z/clusters/c{}"},
    ),
    "source properties": ("sourceProperties", {"key": "k{}", "value": {"key": "x"}}),
    "links": ("sourceProperties.contextUris.cloudLoggingQueryUri", {"url": "https://example.com/{}?a\\u003db"}),
    "contacts": ("contacts.security.contacts", {"email": "{}@example.com"}),
    "marks": ("securityMarks.marks", {"key": "m{}", "value": "\u202e"}),
    "domains": ("indicator.domains", "{}.example.com"),
    "signatures": ("indicator.signatures", {"yaraRuleSignature": {"yaraRule": "r{}"}}),
    "connections": ("connections", {"destinationIp": "192.0.2.1", "destinationPort": "{}.0"}),
    "techniques": ("mitreAttack.primaryTechniques", "T{}_UNSPECIFIED"),
    "unknown fields": ("unheardOf", {"a{}": [None, 0.1, {"b": "c"}]}),
}

# What one text is full of.
_TEXTS = {
    "plain": "x",
    "hidden": "\u202e",
    "control": "\x00",
    "surrogates": "\ud800",
    "quotes": '"',
    "backslashes": "\\",
    "gson": "\\u003d",
    "white space": " \t",
    "four bytes": "\U0001f600",
    "slashes": "/projects/p",
}
_PLACES = ("category", "description", "externalUri", "eventTime", "name", "resourceName", "parentDisplayName")


def large_messages() -> dict[str, Callable[[], bytes]]:
    """Every kind, by what it is full of; each is made when it is called."""
    lists = {name: partial(_of_list, *place) for name, place in _LISTS.items()}
    texts = {
        f"{kind} text in {place}": partial(_of_text, place, text) for place in _PLACES for kind, text in _TEXTS.items()
    }
    arguments = {f"{kind} argument": partial(_of_argument, text) for kind, text in _TEXTS.items()}
    return {**lists, **texts, **arguments, **{name: partial(_odd, name) for name in _ODD}}


def _of_list(place: str, item: Any) -> bytes:
    text = json.dumps(item)
    count = ROOM // (len(text) + 5)
    items = [json.loads(text.replace("{}", str(number))) for number in range(count)]
    return _within(lambda document: _put(document["finding"], place, items))


def _put(value: Any, place: str, item: Any) -> None:
    """Put the item where the path says, whatever was there; `0` is the first of a list."""
    keys = place.split(".")
    for key, following in pairwise(keys):
        if isinstance(value, list):
            value = value[0]
            continue
        if not value.get(key):
            value[key] = [{}] if following == "0" else {}
        value = value[key]
    value[keys[-1]] = item


def _of_text(place: str, text: str) -> bytes:
    size = len(json.dumps(text)) - 2
    return _within(lambda document: document["finding"].update({place: text * (ROOM // size)}))


def _of_argument(text: str) -> bytes:
    argument = text * (ROOM // (len(json.dumps(text)) - 2))
    return _within(lambda document: document["finding"]["processes"][0].update(args=[argument]))


def _within(change: Callable[[Any], object]) -> bytes:
    document = notification("reverse_shell")
    change(document)
    content = json.dumps(document).encode()
    assert len(content) <= MAX_DATA_BYTES, len(content)
    return content


# Hardly JSON: what is made of a notification's text, cut before its last brace.
_ODD: Mapping[str, Callable[[bytes], bytes]] = {
    "broken UTF-8": lambda head: head + b', "x": "' + b"\xff\xfe" * (ROOM // 2) + b'"}',
    "NaN": lambda head: head + b', "x": [' + b",".join([b"NaN"] * (ROOM // 4)) + b"]}",
    "long number": lambda head: head + b', "x": ' + b"9" * 4000 + b"}",
    "numbers": lambda head: head + b', "x": [' + b",".join([b"1e5"] * (ROOM // 4)) + b"]}",
    "one key again and again": lambda head: b"{" + b'"finding": {},' * (ROOM // 14) + head[1:] + b"}",
    "keys": lambda head: head + b"".join(b',"k%d": 0' % number for number in range(ROOM // 14)) + b"}",
    "white space": lambda head: head[:1] + b" \n" * (ROOM // 2) + head[1:] + b"}",
    "cut off": lambda head: (head + b', "x": "' + b"y" * ROOM)[:MAX_DATA_BYTES],
    "brackets": lambda head: b"[" * ROOM,
    "braces": lambda head: b'{"finding":' * (ROOM // 11),
    "nulls": lambda head: b"\x00" * ROOM,
}


def _odd(name: str) -> bytes:
    return _ODD[name](json.dumps(notification("reverse_shell")).encode()[:-1])


def nested(levels: int) -> dict[str, bytes]:
    """Notifications that are so many levels deep, in several places."""
    plain = json.dumps(notification("reverse_shell"))
    lists, objects = "[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels
    return {
        "unknown field": plain.replace('"category":', f'"x": {lists}, "category":', 1).encode(),
        "source property": plain.replace('"Pod_Name":', f'"x": {objects}, "Pod_Name":', 1).encode(),
        "argument": plain.replace('"args": [', f'"args": [{lists}, ', 1).encode(),
        "around it": (f'{{"finding": {objects[:-levels]}'.rstrip("1") + plain + "}" * (levels + 1)).encode(),
    }
