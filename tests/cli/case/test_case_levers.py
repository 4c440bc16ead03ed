"""`case do` and `case exempt`, as people type them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.finding import case_id
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cli.commands import called
from tests.kits.responder import Deployment, deployed, finding_about, policy
from tests.pipeline.test_sweep import swept

LATE = timedelta(minutes=40)
"""After that a pod is not deleted any more."""


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A deployment that gets its findings late."""
    made = deployed(tmp_path, cluster, policy("capture_evidence", "delete_pod", "notify"))
    now = utc_now() + LATE
    made.set_clock(lambda: now)
    return made


@pytest.fixture
def case(deployment: Deployment, pod: dict[str, Any]) -> str:
    """The case whose deletion its age held."""
    document = finding_about(pod)
    deployment.respond_to(document)
    return case_id(deployment.case(document).finding_key)


def typed(deployment: Deployment, *words: str) -> tuple[int, str]:
    """The exit code, and what the command says on either stream."""
    store = ("--store", str(deployment.folder / "journal.db"), "--by", "secops@example.com")
    done = called("case", *words, *store)
    return done.returncode, done.stdout + done.stderr


def test_a_held_step_is_asked_for(deployment: Deployment, case: str) -> None:
    """The answer says what comes next; then `case show` has the plan, what held the step and who asked."""
    code, text = typed(deployment, "do", case, "delete_pod", "--reason", "it is real")
    assert (code, "case show" in text) == (0, True)
    swept(deployment)
    shown = called("case", "show", case, "--store", deployment.folder / "journal.db").stdout
    assert "delete_pod, which finding_too_old held, by secops@example.com: it is real" in shown
    assert "To do exactly this:" in shown


def test_other_steps_are_refused(deployment: Deployment, case: str) -> None:
    """Each refusal says what to do."""
    assert typed(deployment, "do", case, "isolate_pod", "--reason", "r")[0] == 1
    assert "no_step_to_ask_for" in typed(deployment, "do", case, "isolate_pod", "--reason", "r")[1]
    assert "no_such_case" in typed(deployment, "do", "ffffffffffff", "isolate_pod", "--reason", "r")[1]
    assert typed(deployment, "do", case, "delete_pod", "--reason", " ")[0] == 2


def test_a_threat_on_a_workload_is_exempt(deployment: Deployment, case: str, pod: dict[str, Any]) -> None:
    """The next finding of it on the same workload is held as exempt, and told; until a person ends that."""
    code, text = typed(deployment, "exempt", case, "--for", "24h", "--reason", "a load test")
    assert (code, f"control clear --exemption {case}" in text) == (0, True)
    store = deployment.folder / "journal.db"
    assert f"case {case} until" in called("control", "show", "--store", store).stdout
    again = finding_about(pod, finding_id="0f" * 16)
    deployment.respond_to(again)
    assert {f"delete_pod: exempt:{case}", "capture_evidence: captured", "notify: published"} <= set(
        deployment.outcomes(again)
    )
    ended = called("control", "clear", "--exemption", case, "--reason", "it was real", "--store", store)
    assert (ended.returncode, "expired" in ended.stdout) == (0, True)
    last = finding_about(pod, finding_id="1f" * 16)
    deployment.respond_to(last)
    assert "delete_pod: finding_too_old" in deployment.outcomes(last)


@pytest.mark.parametrize("length", ["73h", "0h", "a day"])
def test_an_exemption_is_short(deployment: Deployment, case: str, length: str) -> None:
    """Three days at most: longer ones are written into the guardrails."""
    code, text = typed(deployment, "exempt", case, "--for", length, "--reason", "r")
    assert (code, "--for" in text) == (2, True)


def test_a_script_reads_json(deployment: Deployment, case: str) -> None:
    """One object, with the word that says why."""
    told = json.loads(typed(deployment, "exempt", case, "--for", "1h", "--reason", "r", "--format", "json")[1])
    assert (told["case"], told["taken"], told["reason"]) == (case, True, "exempted")
    assert told["exemption"]["threat"] == "reverse_shell"


@pytest.mark.parametrize("words", [("exempt", "--for", "1h"), ("do", "delete_pod"), ("mark", "wrong"), ("resume",)])
@pytest.mark.parametrize("digits", [0, 4])
def test_a_part_of_an_id_names_no_case(deployment: Deployment, case: str, words: tuple[str, ...], digits: int) -> None:
    """An empty variable or a slip must not choose the only case that there is; the answer says how an id looks."""
    before = deployment.services.store.get(f"case/{deployment.services.journal.find(case)}")
    options = ("--apply",) if words[0] == "resume" else ("--by", "me", "--reason", "r")
    store = ("--store", deployment.folder / "journal.db")
    done = called("case", words[0], case[:digits], *words[1:], *options, *store)
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert digits == 0 or "give all 12 digits of its id" in done.stderr
    after = deployment.services.store.get(f"case/{deployment.services.journal.find(case)}")
    assert before is not None
    assert after is not None
    assert before.version == after.version
