"""A provider for `terraform` that has only a schema: enough for `init`, `validate` and `test` with mocked providers.

Terraform asks a mocked provider for its schema and for the validation of configurations, and nothing else (its
`internal/providers/mock.go`). This one speaks plugin protocol 5 over a socket in this process and is attached with
TF_REATTACH_PROVIDERS, so that no registry is needed. It checks what a schema can: names, blocks, types, what must be
given. The values of strings are the real provider's matter; `test_literals.py` holds what it would say of ours.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

_NESTING = {"single": 1, "list": 2, "set": 3}
_FLAGS = {"r": 4, "o": 5, "c": 6}
"""The numbers of `required`, `optional` and `computed` in tfplugin5's `Schema.Attribute`."""


def message(*fields: tuple[int, bytes | int]) -> bytes:
    """A protobuf message of these fields: integers as varints, bytes with their length."""
    encoded = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            encoded += _varint(number << 3) + _varint(value)
        else:
            encoded += _varint(number << 3 | 2) + _varint(len(value)) + value
    return bytes(encoded)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _schema(block: Mapping[str, Any]) -> bytes:
    return message((2, _block(block)))


def _block(block: Mapping[str, Any]) -> bytes:
    attributes = [(2, _attribute(name, *rest)) for name, rest in block["attributes"].items()]
    return message(*attributes, *((3, _nested(name, nested)) for name, nested in block["blocks"].items()))


def _attribute(name: str, kind: Any, flags: str) -> bytes:
    shown = json.dumps(kind).encode()
    return message((1, name.encode()), (2, shown), *((_FLAGS[flag], 1) for flag in flags))


def _nested(name: str, block: Mapping[str, Any]) -> bytes:
    return message(
        (1, name.encode()), (2, _block(block)), (3, _NESTING[block["nesting"]]), (4, block["min"]), (5, block["max"])
    )


def schema_response(schema: Mapping[str, Any]) -> bytes:
    """`GetProviderSchema.Response` for a schema as `extract_schema.py` writes it."""

    def named(field: int, kinds: Mapping[str, Any]) -> list[tuple[int, bytes]]:
        return [(field, message((1, name.encode()), (2, _schema(block)))) for name, block in kinds.items()]

    optional = message((2, 1))
    return message(
        (1, _schema(schema["provider"])), *named(2, schema["resources"]), *named(3, schema["data"]), (6, optional)
    )


def attached(*providers: StubProvider) -> dict[str, str]:
    """The environment in which terraform uses these instead of providers of its own."""
    how = {name: way for provider in providers for name, way in provider.reattached.items()}
    return {"TF_REATTACH_PROVIDERS": json.dumps(how)}


class StubProvider:
    """The provider, served from `with` until its end. `attached` says how terraform finds it.

    It is called as its schema's file is: `google.json`, `google-beta.json`.
    """

    def __init__(self, schema: Path, folder: Path) -> None:
        self._name = schema.stem
        answer = schema_response(json.loads(schema.read_text()))
        answers: dict[str, Callable[[bytes], bytes]] = {
            "GetSchema": lambda _: answer,
            "PrepareProviderConfig": lambda asked: asked,  # its answer's first field is the request's
            "ValidateResourceTypeConfig": lambda _: b"",
            "ValidateDataSourceConfig": lambda _: b"",
            "Configure": lambda _: b"",
            "Stop": lambda _: b"",
        }
        self._socket = folder / f"{self._name}.sock"
        self._server = grpc.server(ThreadPoolExecutor(4))
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(lambda asked, _context, answered=answered: answered(asked))
            for name, answered in answers.items()
        }
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("tfplugin5.Provider", handlers)])
        self._server.add_insecure_port(f"unix:{self._socket}")

    @property
    def reattached(self) -> dict[str, Any]:
        """How terraform finds it, by its full name."""
        how = {
            "Protocol": "grpc",
            "ProtocolVersion": 5,
            "Pid": os.getpid(),
            "Test": True,
            "Addr": {"Network": "unix", "String": str(self._socket)},
        }
        return {f"registry.terraform.io/hashicorp/{self._name}": how}

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(grace=None)
