"""Who may approve: whom guardrails.yaml lists, proved by a token, and as many of them as are needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import answered, plan_of
from tests.kits.google.issuer import AUDIENCE, Issuer
from tests.kits.responder import RAILS, Deployment, deployed, finding_about, mutations, policy

Object = dict[str, Any]
RULES = RAILS + "approval: {approvers: [Ann@example.com, bob@example.com], needed: %d}\n"
WAITS = policy("label_pod", mode="approve")


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """The issuer of tokens."""
    with Issuer() as running:
        yield running


def asking(tmp_path: Path, cluster: SimulatedCluster, issuer: Issuer, needed: int = 1) -> Deployment:
    """A deployment that wants tokens."""
    return deployed(
        tmp_path,
        cluster,
        WAITS,
        guardrails=RULES % needed,
        approval_audience=AUDIENCE,
        approval_certs=issuer.certs,
    )


def test_a_listed_person(tmp_path: Path, cluster: SimulatedCluster, pod: Object, issuer: Issuer) -> None:
    """Who is listed and proves it approves, and the record says who it was."""
    deployment = asking(tmp_path, cluster, issuer)
    document = finding_about(pod)
    deployment.respond_to(document)

    assert answered(deployment, document, token=issuer.token("ann@example.com")).status == 204

    assert [given.by for given in plan_of(deployment, document).approvals] == ["ann@example.com"]
    assert mutations(cluster.audit) == ["patch pods"]


def test_an_unlisted_person_learns_nothing(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, issuer: Issuer
) -> None:
    """Who is not listed, proves nothing, or is only named by the request may do nothing: not even learn of the case."""
    deployment = asking(tmp_path, cluster, issuer)
    document = finding_about(pod)
    deployment.respond_to(document)
    before = deployment.case(document)
    tries = [
        (issuer.token("eve@example.com"), "approver_not_listed"),
        (issuer.token("ann@example.com.example.org"), "approver_not_listed"),
        (issuer.token(aud="https://other.example.com"), "token_wrong_audience"),
        ("", "no_token"),
    ]
    for verb in ("approve", "reject"):
        for token, reason in tries:
            for case in (before.finding_key, "f" * 12, "nonsense"):
                ending = answered(deployment, document, verb, token=token, case=case)
                assert (ending.status, ending.reason) == (403, reason)
    assert deployment.case(document) == before
    assert not any(part in str(deployment.lines) for part in tries[0][0].split(".")[1:])
    assert mutations(cluster.audit) == []


def test_only_a_bearer_token_counts(tmp_path: Path, cluster: SimulatedCluster, pod: Object, issuer: Issuer) -> None:
    """A token counts in `Authorization` as a bearer's alone: Cloud Run's own header proves nothing here."""
    deployment = asking(tmp_path, cluster, issuer)
    document = finding_about(pod)
    deployment.respond_to(document)
    token = issuer.token()
    for headers in ({"authorization": f"Basic {token}"}, {"x-serverless-authorization": f"Bearer {token}"}):
        assert answered(deployment, document, headers=headers).reason == "no_token"
    assert mutations(cluster.audit) == []


def test_two_are_needed(tmp_path: Path, cluster: SimulatedCluster, pod: Object, issuer: Issuer) -> None:
    """Where two are needed one person counts once, however often; the second person's approval starts the plan."""
    deployment = asking(tmp_path, cluster, issuer, needed=2)
    document = finding_about(pod)
    deployment.respond_to(document)
    ann, bob = issuer.token("ann@example.com"), issuer.token("bob@example.com")

    first = [
        answered(deployment, document, token=token).reason for token in (ann, ann, issuer.token("ANN@example.com"))
    ]
    waiting = deployment.case(document).state, mutations(cluster.audit)
    second = answered(deployment, document, token=bob)

    assert first == ["approval_noted", "already_approved", "already_approved"]
    assert waiting == ("waiting", [])
    assert (second.status, second.reason) == (204, "done")
    assert [given.by for given in plan_of(deployment, document).approvals] == ["ann@example.com", "bob@example.com"]
    assert mutations(cluster.audit) == ["patch pods"]


def test_one_may_reject(tmp_path: Path, cluster: SimulatedCluster, pod: Object, issuer: Issuer) -> None:
    """One person's rejection ends what another has approved already."""
    deployment = asking(tmp_path, cluster, issuer, needed=2)
    document = finding_about(pod)
    deployment.respond_to(document)
    answered(deployment, document, token=issuer.token("ann@example.com"))

    ending = answered(deployment, document, "reject", token=issuer.token("bob@example.com"), reason="a test of ours")

    assert (ending.reason, plan_of(deployment, document).by) == ("approval_rejected", "bob@example.com")
    assert deployment.case(document).steps[0].detail == "bob@example.com: a test of ours"
    assert answered(deployment, document, token=issuer.token("bob@example.com")).status == 409


def test_missing_certificates_ask_for_another_try(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Where nobody can tell who asks, it is to be asked again."""
    with Issuer() as ended:
        token, certs = ended.token(), ended
        deployment = asking(tmp_path, cluster, certs)
    document = finding_about(pod)
    deployment.respond_to(document)
    assert answered(deployment, document, token=token).status == 503


def test_the_command_names_the_function(tmp_path: Path, cluster: SimulatedCluster, pod: Object, issuer: Issuer) -> None:
    """Where the audience is the function's URL, the command that answers says where to send it."""
    deployment = asking(tmp_path, cluster, issuer)
    deployment.respond_to(finding_about(pod))
    assert deployment.line["approval"]["to_approve"].endswith(f" --url {AUDIENCE}")


@pytest.mark.parametrize("audience", ["two words", "https://x.example.com; rm -rf", "-x"])
def test_an_unusable_audience_is_refused(tmp_path: Path, cluster: SimulatedCluster, audience: str) -> None:
    """An audience that would be no part of a command is refused at the start."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_APPROVAL_AUDIENCE"):
        deployed(tmp_path, cluster, WAITS, approval_audience=audience)
