"""What log lines, messages and manifests said of a case, as statements that its record is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.value import Value, read_json, resolved
from scc_responder.journal.chain.chain_check import SaidStep
from scc_responder.workbench.bundle.bundle_report import BundleReport
from scc_responder.workbench.bundle.chain_differences import Statement


class SaidCase(Value, frozen=True, kw_only=True):
    """The fields of a log line, or of a message, that tell of a case's hash chain. Others are left out."""

    case: str
    chain_head: str = ""
    chain_from: str | None = None
    chain_write: float = 0
    chain_links: tuple[str, ...] = ()
    steps: tuple[SaidStep, ...] = ()


def exported_statements(content: bytes, case: str) -> tuple[Statement, ...]:
    """What an export says of the case: JSON lines, or one list, of log entries, of our own lines, or of messages.

    An entry that is none of ours is left out. Raises SettingsError where the content is no such export.
    """
    said = (_said(number, entry, case) for number, entry in enumerate(_entries(content), start=1))
    return tuple(filter(None, said))


def manifest_statements(report: BundleReport) -> Iterator[Statement]:
    """What the manifests of a bundle say of the case."""
    for manifest in report.manifests:
        if chain := manifest.says.chain:
            yield Statement(where=manifest.file, head=chain.head, write=chain.write, steps=chain.steps)


def _entries(content: bytes) -> list[Any]:
    try:
        if content.lstrip().startswith(b"["):
            return list(read_json(content, list[Any]))
        return [read_json(line, Any) for line in content.splitlines() if line.strip()]
    except msgspec.DecodeError as error:
        raise SettingsError("log_unreadable", f"it is no export of JSON lines: {error}") from error


def _said(number: int, entry: Any, case: str) -> Statement | None:
    payload = entry.get("jsonPayload", entry) if isinstance(entry, dict) else None
    with suppress(msgspec.ValidationError):
        said = msgspec.convert(payload, resolved(SaidCase))
        if said.case == case and said.chain_head:
            return Statement(
                where=f"entry {number} of the log",
                head=said.chain_head,
                write=int(said.chain_write),
                began=said.chain_from,
                steps=tuple(replace(step, link=link) for step, link in zip(said.steps, said.chain_links, strict=False)),
            )
    return None
