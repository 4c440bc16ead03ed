"""What an export says of a case: as Cloud Logging exports it, as our own lines, as messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.journal.chain.chain_check import SaidStep
from scc_responder.workbench.bundle.bundle_check import check_bundle
from scc_responder.workbench.bundle.case_statements import exported_statements, manifest_statements
from scc_responder.workbench.bundle.chain_differences import Statement
from tests.kits.bundles import CASE, SignedBundle

LINE: dict[str, Any] = {"case": CASE, "chain_head": "h2", "chain_from": "h1", "chain_write": 7, "state": "done"}
STEP = {"action_id": "a", "action": "label_pod", "status": "done", "link": "l", "policy": "contain"}
OTHERS: list[Any] = [{"textPayload": "x"}, {"jsonPayload": {"case": "ffffffffffff", "chain_head": "h"}}, [], 3]
SUMMARY = {name: STEP[name] for name in STEP if name != "link"}
FORMS = [
    pytest.param(lambda entries: "\n".join(map(json.dumps, entries)), id="json-lines"),
    pytest.param(lambda entries: "\n\n".join(map(json.dumps, entries)) + "\n", id="with-empty-lines"),
    pytest.param(lambda entries: "  " + json.dumps(entries, indent=2), id="one-list"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrapped", [True, False], ids=["log-entries", "our-own-lines"])
def test_a_line_is_a_statement(form: Any, *, wrapped: bool) -> None:
    """With its place; what is of another case, or none of ours, is left out. A number may have become a decimal one."""
    line = LINE | {"steps": [SUMMARY], "chain_links": ["l"], "chain_write": 7.0}
    content = form([*OTHERS[:3], {"jsonPayload": line} if wrapped else line]).encode()
    assert exported_statements(content, CASE) == (
        Statement(
            where="entry 4 of the log",
            head="h2",
            write=7,
            began="h1",
            steps=(SaidStep(action_id="a", action="label_pod", status="done", link="l"),),
        ),
    )


def test_a_message_is_of_no_whole_delivery() -> None:
    """It has a head and no beginning."""
    message = {name: LINE[name] for name in ("case", "chain_head", "chain_write")}
    (said,) = exported_statements(json.dumps(message).encode(), CASE)
    assert (said.head, said.began) == ("h2", None)


SILENT = [
    pytest.param(b"", id="nothing"),
    pytest.param(json.dumps(OTHERS[1]).encode(), id="another-case"),
    pytest.param(json.dumps({"case": CASE}).encode(), id="a-version-without-chains"),
    pytest.param(json.dumps(LINE | {"chain_head": 3}).encode(), id="no-line-of-ours"),
]


@pytest.mark.parametrize("content", SILENT)
def test_silence_is_no_statement(content: bytes) -> None:
    """An export may say nothing of the case."""
    assert exported_statements(content, CASE) == ()


@pytest.mark.parametrize("content", [b"case done", b"[1,", b"[" * 100_000], ids=["text", "cut-off", "nested"])
def test_what_is_no_export_is_refused(content: bytes) -> None:
    """Whatever it is, it is said so."""
    with pytest.raises(SettingsError) as refused:
        exported_statements(content, CASE)
    assert refused.value.reason == "log_unreadable"


def test_a_manifest_is_a_statement(tmp_path: Path) -> None:
    """Where it says what the chain said; one of an earlier version says nothing."""
    made = SignedBundle(tmp_path)
    made.capture(b"{}")
    assert [*manifest_statements(check_bundle(made.folder, CASE, made.public))] == []
    name = made.capture(b"[]", chain={"head": "h", "write": 3, "steps": [STEP]})
    (said,) = manifest_statements(check_bundle(made.folder, CASE, made.public))
    assert (said.where, said.head, said.write, said.began) == (made.file(name).name, "h", 3, None)
    assert [each.link for each in said.steps] == ["l"]
