"""`case report`: the account of one case, as text, Markdown, a page or JSON, on the screen or in a file."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli.case.report import FORMS, desk_account
from scc_responder.cli.main import main
from scc_responder.domain.finding import case_id
from scc_responder.journal.account.answers import QUESTIONS
from tests.cluster import objects
from tests.cluster.control_plane import ControlPlane
from tests.kits.account_cases import CASES, contained_case, held_case, waiting_case
from tests.kits.responder import deployed, finding_about, policy
from tests.requirements import missing


def shown(folder: Path, *options: str) -> list[str]:
    return ["case", "report", *options, "--store", str(folder / "journal.db")]


@pytest.mark.parametrize("form", FORMS)
def test_a_case_is_reported_in_each_form(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All twelve questions; with --output the file has what the screen had."""
    with contained_case(tmp_path) as case:
        name = case_id(case.record.finding_key)
    assert main(shown(tmp_path, name, "--format", form)) == 0
    text = capsys.readouterr().out
    titles = QUESTIONS if form == "json" else QUESTIONS.values()
    assert [title for title in titles if title not in text] == []
    assert "/tmp/kworkerd" in text
    if form == "json":
        assert json.loads(text)["case"] == name
    file = tmp_path / "report"
    assert main(shown(tmp_path, name, "--format", form, "--output", str(file))) == 0
    assert capsys.readouterr().out == ""
    assert file.read_text(encoding="utf-8").strip() == text.strip()


def test_a_report_names_the_other_cases_of_the_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the same store, by the digest of the image."""
    with held_case(tmp_path) as case:
        second = finding_about(case.pod, finding_id="b" * 32)
        case.deployment.list_finding(second, "second")
        case.deployment.deliver(second)
        other = case_id(case.deployment.case(second).finding_key)
    assert main(shown(tmp_path, case_id(case.record.finding_key))) == 0
    assert f"case {other}: Reverse Shell: shop/web-" in capsys.readouterr().out


def test_a_case_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong use, with what to look at."""
    SqliteStore(tmp_path / "journal.db").close()
    assert main(shown(tmp_path, "0a0a0a0a0a0a")) == 2
    assert "see `case list`" in capsys.readouterr().err


def test_what_was_changed_on_cloud_run_is_set_back_by_its_lines(tmp_path: Path) -> None:
    """Once the plan was carried out, the report has the lines of `case show` for it."""
    with waiting_case(tmp_path) as case:
        before = desk_account(case.record)
        case.deployment.answer(case.document)
        after = desk_account(case.deployment.case(case.document))
    set_back = [command.line for command in after.commands if command.why.startswith("set back ")]
    assert set_back[0].split()[:4] == ["gcloud", "run", "services", "update"]
    assert not any(command.why.startswith("set back ") for command in before.commands)


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_commands_of_a_report_run(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of ours, as they are printed: each that only looks ends well, and the others are understood."""
    monkeypatch.setenv("SCC_RESPONDER_STORE", str(tmp_path / "journal.db"))
    monkeypatch.setenv("SCC_RESPONDER_EVIDENCE", str(tmp_path / "no-copy"))
    with CASES[name](tmp_path) as case:
        commands = [command.line for command in desk_account(case.record, url="http://127.0.0.1:9").commands]
    ours = [shlex.split(line)[1:] for line in commands if line.startswith("scc-responder ")]
    ended = {words[1]: main(words) for words in ours}
    told = capsys.readouterr()
    assert ended.pop("verify") == 0, told
    assert "unrecognized arguments" not in told.err
    assert ended.keys() <= {"approve", "reject", "resume", "undo", "do"}
    assert set(ended.values()) <= {0, 1, 2}


def test_the_lines_of_kubectl_reach_the_pod(
    control_plane: ControlPlane, namespace: str, node: dict[str, Any], tmp_path: Path
) -> None:
    """On a real API server they find it by its name; its kubelet, of which there is none here, has the log."""
    if shutil.which("kubectl") is None:
        missing("kubectl", "it is not in PATH", "gcloud components install kubectl")
    control_plane.admin.create(objects.deployment("web", namespace, node["metadata"]["name"], replicas=2))
    pod = objects.running_pods(control_plane.admin, namespace, "web", count=2)[0]
    side = SimpleNamespace(url=control_plane.url, ca_pem=control_plane.ca_pem.encode(), token=control_plane.token)
    deployment = deployed(tmp_path, side, policy("label_pod", "capture_evidence"))
    document = finding_about(pod, finding_id=pod["metadata"]["uid"].replace("-", ""))
    deployment.respond_to(document)
    lines = [command.line for command in desk_account(deployment.case(document)).commands]
    environment = {**os.environ, "KUBECONFIG": str(control_plane.kubeconfig), "HOME": str(tmp_path)}
    ended = {
        line.split()[1]: subprocess.run(shlex.split(line), env=environment, capture_output=True, text=True, check=False)
        for line in lines
        if line.startswith("kubectl ")
    }
    assert ended.keys() == {"get", "logs"}
    assert f"uid: {pod['metadata']['uid']}" in ended["get"].stdout, ended["get"].stderr
    assert "unknown" not in ended["logs"].stderr
