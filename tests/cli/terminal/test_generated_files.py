"""Files that are generated: compared line by line, written where they differ."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.cli.terminal.generated_files import compare_files, iam_list, write
from scc_responder.domain.errors import SettingsError
from scc_responder.workbench.needed_permissions import Need, enabled, needed
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.responder import policy, write_policies


def test_a_file_that_differs_is_shown_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An absent file differs; once written, all are the same, and nothing is told."""
    path = tmp_path / "new" / "a.txt"
    (found,) = compare_files({path: "one\ntwo\n"})
    assert (found.result, found.difference[-2:]) == ("differs", ("+one", "+two"))
    assert [item.result for item in write({path: "one\ntwo\n"})] == ["written"]
    assert capsys.readouterr().err == f"wrote {path}\n"
    assert [item.result for item in write({path: "one\ntwo\n"})] == ["same"]
    assert [(item.result, item.difference) for item in compare_files({path: "one\ntwo\n"})] == [("same", ())]
    assert compare_files({path: "one\n"})[0].difference[-1] == "-two"


def test_a_file_that_is_no_text_is_written_anew(tmp_path: Path) -> None:
    """It differs, and nothing ends for it half written."""
    path = tmp_path / "act.yaml"
    path.write_bytes(b"\xff")
    assert compare_files({path: "one\n"})[0].result == "differs"
    assert [item.result for item in write({path: "one\n"})] == ["written"]
    assert path.read_text() == "one\n"


def wanted(folder: Path) -> list[Need]:
    return list(
        needed(enabled(load_policies(write_policies(folder, policy("capture_evidence", mode="enforce"))).policies))
    )


def test_an_iam_list_has_both_sections(tmp_path: Path) -> None:
    """What is granted at Google alone stands there, sorted; the gateway's apart."""
    path = tmp_path / "permissions.json"
    text = iam_list(path, wanted(tmp_path / "policies"))[path]
    document = json.loads(text)
    names = [item["permission"] for item in document["iam"]]
    assert names == sorted(names)
    assert "storage.objects.create" in names
    assert document["connect_gateway"]
    path.write_text(text)
    assert iam_list(path, wanted(tmp_path / "policies"))[path] == text


@pytest.mark.parametrize("content", ["[]", "{}", "no JSON"])
def test_another_file_is_no_iam_list(tmp_path: Path, content: str) -> None:
    """It is named, and not written over."""
    path = tmp_path / "permissions.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"it is no list of IAM permissions"):
        iam_list(path, [])
