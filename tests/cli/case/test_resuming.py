"""`case resume`: what is said without --apply, and what happens with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.cli.main import main
from scc_responder.domain.clock import utc_now
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.again import later
from tests.kits.answers import HERE, answered
from tests.kits.compromised_pod import cluster, pod
from tests.kits.responder import Deployment, deployed, finding_about, policy, rewritten

__all__ = ["cluster", "pod"]

Called = Callable[..., tuple[int, str, str]]


@pytest.fixture
def called(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Called:
    """Run `case resume` on the deployment's store; its exit code and what it prints."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["case", "resume", *arguments, "--store", f"sqlite:///{tmp_path / 'journal.db'}"])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def case_of(deployment: Deployment, document: dict[str, Any]) -> str:
    """The id of the finding's case."""
    return deployment.case(document).finding_key[:12]


def test_it_says_first_what_would_be_tried(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], called: Called
) -> None:
    """Nothing is written without --apply; with it, a sweep does what is left by the policies as they are now."""
    deployment, document = deployed(tmp_path, cluster, policy("isolate_pod", mode="dry_run")), finding_about(pod)
    deployment.respond_to(document)
    case, before = case_of(deployment, document), deployment.case(document)
    rewritten(deployment, policy("isolate_pod"))

    code, out, _ = called(case)
    assert (code, deployment.case(document)) == (0, before)
    assert f"case {case} is rehearsed" in out
    assert f"isolate_pod shop/{pod['metadata']['name']} (contain) is dry_run, would_patch" in out
    (told,) = [json.loads(called(case, "--format", "json")[1])]
    assert (told["resumed"], {step["action"] for step in told["steps"]}) == (False, {"isolate_pod"})

    assert called(case, "--apply")[:2] == (0, f"scc-responder: case {case}: open again; a sweep resumes it\n")
    sweep(HERE, "127.0.0.1", deployment.services)
    assert (deployment.case(document).state, len(cluster.objects("NetworkPolicy"))) == ("done", 1)
    assert called(case)[::2] == (
        1,
        f"scc-responder: case {case}: not resumed: nothing_left: the case is done: there is nothing to try again\n",
    )


def test_those_that_a_policy_just_rehearsed_go_on_together(
    tmp_path: Path, cluster: SimulatedCluster, called: Called
) -> None:
    """Only of that policy, and only of the last hours."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", mode="dry_run"))
    documents = [finding_about(pod, finding_id=f"{n:032x}") for n, pod in enumerate(cluster.objects("Pod", "shop"))]
    for number, document in enumerate(documents):
        deployment.list_finding(document, f"finding-{number}")
        deployment.deliver(document)
    rewritten(deployment, policy("label_pod"))
    code, _, err = called("--policy", "contian", "--apply")
    assert (code, "no case has a step of such a policy" in err) == (2, True)
    assert "2 to be tried again with --apply" in called("--policy", "contain", "--since", "30m")[1]
    assert len(json.loads(called("--policy", "contain", "--format", "json")[1])) == 2
    assert called("--policy", "contain", "--apply")[0] == 0
    sweep(HERE, "127.0.0.1", deployment.services)
    assert [str(deployment.case(document).state) for document in documents] == ["done", "done"]
    assert "0 to be tried again" in called("--policy", "contain")[1]


WRONG = [
    pytest.param([], "give a case, or --policy", id="nothing"),
    pytest.param(["0" * 12, "--policy", "contain"], "give a case, or --policy", id="both"),
    pytest.param(["0" * 12, "--revision", "a; rm"], "--revision", id="no name"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_wrong_arguments_are_named(
    tmp_path: Path, cluster: SimulatedCluster, called: Called, arguments: list[str], said: str
) -> None:
    """Before any store is read."""
    deployed(tmp_path, cluster, policy("label_pod"))
    code, _, err = called(*arguments)
    assert (code != 0, said in err) == (True, True)


def test_a_malformed_time_says_what_to_write(called: Called, capsys: pytest.CaptureFixture[str]) -> None:
    """As every option that takes a length of time does."""
    with pytest.raises(SystemExit) as ended:
        called("--policy", "contain", "--since", "soon")
    assert ended.value.code == 2
    assert "argument --since: 'soon' is no duration; write a number and a unit" in capsys.readouterr().err


def test_a_person_opens_what_a_person_ended(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], called: Called
) -> None:
    """A rejected plan is asked for anew; the next event does not do that."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", mode="approve"))
    document = finding_about(pod)
    deployment.respond_to(document)
    case = case_of(deployment, document)
    plan = deployment.case(document).plan
    assert plan is not None
    answered(deployment, document, "reject", reason="a test")
    newer = later(document, timedelta(minutes=1))
    deployment.set_clock(lambda: utc_now() + timedelta(minutes=1))
    deployment.list_finding(newer)
    assert deployment.deliver(newer).reason == "duplicate"
    assert called(case, "--apply")[0] == 0
    sweep(HERE, "127.0.0.1", deployment.services)
    record = deployment.case(document)
    assert (record.state, record.word, record.plan and str(record.plan.state)) == ("waiting", None, "waiting")


def test_what_would_hold_it_again_is_said(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], called: Called
) -> None:
    """An exemption, a lowered policy and the switch are a person's own; each is named with the command for it."""
    deployment, document = deployed(tmp_path, cluster, policy("isolate_pod", mode="dry_run")), finding_about(pod)
    deployment.respond_to(document)
    case, store = case_of(deployment, document), str(tmp_path / "journal.db")
    assert "kill switch" not in called(case)[1]
    words = ("--reason", "r", "--store", store)
    assert main(["case", "exempt", case, "--for", "1h", *words]) == 0
    assert main(["control", "set", "dry_run", "--policy", "contain", "--for", "1h", *words]) == 0
    deployment.turn("approve")
    told = called(case)[1]
    assert "the kill switch lets it go as far as approve" in told
    assert "policy contain goes as far as dry_run" in told
    assert f"control clear --exemption {case}" in told
    code, out, err = called(case, "--apply")
    assert (code, "open again" in out, f"control clear --exemption {case}" in err) == (0, True, True)
