"""Long-running operations of Cloud Run as values.

Source: google/longrunning/operations.proto, google/rpc/code.proto.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from scc_responder.domain.cloud_run.run_reads import RunOperation

_MESSAGES = {"Service": "service", "Revision": "revision", "Job": "job", "Execution": "execution"}
"""The messages that operations carry, and the modules of `google.cloud.run_v2.types` that define them."""


def operation_value(message: Any) -> RunOperation:
    """An operation. What it carries says the generation and the etag; nothing of it is needed to know how it ended."""
    about = _carried(message.response) or _carried(message.metadata)
    failed = message.WhichOneof("result") == "error"
    return RunOperation(
        name=message.name,
        done=message.done,
        generation=getattr(about, "generation", 0),
        etag=getattr(about, "etag", ""),
        error=_code(message.error.code) if failed else "",
        message=message.error.message[:500] if failed else "",
    )


def _carried(packed: Any) -> Any:
    """The message in an `Any`, or None where it is of a type that is not known here."""
    kind = packed.type_url.rpartition(".")[2]
    if kind not in _MESSAGES:
        return None
    types: Any = import_module(f"google.cloud.run_v2.types.{_MESSAGES[kind]}")
    about = getattr(types, kind).pb(getattr(types, kind)())
    return about if packed.Unpack(about) else None


def _code(number: int) -> str:
    codes: Any = import_module("google.rpc.code_pb2")
    return str(codes.Code.Name(number)).lower() if number in codes.Code.values() else f"code_{number}"
