"""What the console hands on: a person's answer counts as that person's, and by itself the console answers nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.resource_names import ASSERTION_HEADER
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.approvals import ANSWER_VERBS
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE, answered, plan_of
from tests.kits.google.iap import IAP_AUDIENCE, LocalIap, forged
from tests.kits.google.issuer import AUDIENCE, Issuer, another_key
from tests.kits.responder import RAILS, Deployment, deployed, finding_about, mutations, policy

Object = dict[str, Any]
CONSOLE = "scc-responder-console@example-project.iam.gserviceaccount.com"
RULES = RAILS + f"approval: {{approvers: [Ann@example.com, bob@example.com, {CONSOLE}], needed: %d}}\n"
"""Whoever wrote them lists the console too: that must give it nothing."""
WAITS = policy("label_pod", mode="approve")


class Proofs(NamedTuple):
    """Who says who calls, and who says whom IAP let in."""

    issuer: Issuer
    iap: LocalIap

    @property
    def console(self) -> str:
        """The console's own token."""
        return self.issuer.token(CONSOLE)


@pytest.fixture(scope="module")
def proofs() -> Iterator[Proofs]:
    """Google and IAP."""
    with Issuer() as issuer, LocalIap() as iap:
        yield Proofs(issuer, iap)


def asking(tmp_path: Path, cluster: SimulatedCluster, proofs: Proofs, needed: int = 1, **more: Any) -> Deployment:
    """A deployment that has a console."""
    given = {"console": CONSOLE, "iap_audience": IAP_AUDIENCE, "iap_keys": proofs.iap.address, **more}
    told = {name: value for name, value in given.items() if value}
    tokens = {"approval_audience": AUDIENCE, "approval_certs": proofs.issuer.certs}
    return deployed(tmp_path, cluster, WAITS, guardrails=RULES % needed, **tokens, **told)


def handed(
    deployment: Deployment, document: Object, assertion: str, token: str, verb: str = "approve", **body: str
) -> Ending:
    """The answer to what the console hands on."""
    return answered(deployment, document, verb, token=token, headers={**HERE, ASSERTION_HEADER: assertion}, **body)


@pytest.fixture
def waiting(tmp_path: Path, cluster: SimulatedCluster, pod: Object, proofs: Proofs) -> tuple[Deployment, Object]:
    """A deployment with a console, and a finding whose plan waits."""
    deployment, document = asking(tmp_path, cluster, proofs), finding_about(pod)
    deployment.respond_to(document)
    return deployment, document


def test_a_person_answers_through_the_console(
    waiting: tuple[Deployment, Object], cluster: SimulatedCluster, proofs: Proofs
) -> None:
    """Whom IAP let in and the guardrails list approves, and record and log say who it was, and by which way."""
    deployment, document = waiting

    ending = handed(deployment, document, proofs.iap.assertion("ANN@example.com"), proofs.console)

    assert (ending.status, ending.reason) == (204, "done")
    assert [given.by for given in plan_of(deployment, document).approvals] == ["ann@example.com"]
    assert (deployment.line["approver"], deployment.line["through"]) == ("ann@example.com", "console")
    assert mutations(cluster.audit) == ["patch pods"]


def test_a_person_rejects_through_the_console(waiting: tuple[Deployment, Object], proofs: Proofs) -> None:
    """A rejection is handed on in the same way."""
    deployment, document = waiting
    ending = handed(deployment, document, proofs.iap.assertion("bob@example.com"), proofs.console, "reject")
    assert (ending.reason, plan_of(deployment, document).by) == ("approval_rejected", "bob@example.com")


def test_a_person_has_a_case_tried_again(
    waiting: tuple[Deployment, Object], cluster: SimulatedCluster, proofs: Proofs
) -> None:
    """A case that came to its end is tried again at once for a listed person; one that waits, or for others, is not."""
    deployment, document = waiting
    ann, console = proofs.iap.assertion(), proofs.console
    early = handed(deployment, document, ann, console, "resume")
    handed(deployment, document, ann, console, "reject")
    eve = handed(deployment, document, proofs.iap.assertion("eve@example.com"), console, "resume")
    ended = deployment.case(document).state
    other = handed(deployment, document, ann, console, "resume", plan="f" * 64)
    again = handed(deployment, document, ann, console, "resume")

    assert (early.status, early.reason) == (409, "waiting_for_approval")
    assert (eve.status, eve.reason, str(ended)) == (403, "approver_not_listed", "held")
    assert (other.status, other.reason) == (409, "plan_digest_differs")
    assert (again.status, again.reason) == (204, "waiting_for_approval")
    assert json.loads(again.body)["answer"] == "resume"
    assert str(deployment.case(document).state) == "waiting"
    assert mutations(cluster.audit) == []


def test_what_is_tried_again_asks_every_guard_anew(
    waiting: tuple[Deployment, Object], cluster: SimulatedCluster, proofs: Proofs
) -> None:
    """Somebody pulled the kill switch meanwhile: nothing is done, and the answer says so."""
    deployment, document = waiting
    ann, console = proofs.iap.assertion(), proofs.console
    handed(deployment, document, ann, console, "reject")
    deployment.turn("disabled")
    again = handed(deployment, document, ann, console, "resume")
    told = json.loads(again.body)

    assert (told["answer"], told["reason"], str(deployment.case(document).state)) == (
        "resume",
        "control_disabled",
        "held",
    )
    assert mutations(cluster.audit) == []


def test_a_busy_cluster_leaves_it_to_the_sweep(
    waiting: tuple[Deployment, Object], proofs: Proofs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The case is open again, and nothing is read by this request."""
    deployment, document = waiting
    ann, console = proofs.iap.assertion(), proofs.console
    handed(deployment, document, ann, console, "reject")
    monkeypatch.setattr(deployment.services.bulkheads, "is_busy", lambda _cluster: True)
    again = handed(deployment, document, ann, console, "resume")
    assert (again.status, again.reason) == (204, "resumed_by_person")
    assert str(deployment.case(document).state) == "open"


def test_the_console_alone_answers_nothing(waiting: tuple[Deployment, Object], proofs: Proofs) -> None:
    """Without a person's assertion the console's own token is worth nothing, though guardrails list its identity."""
    deployment, document = waiting
    for verb in ANSWER_VERBS:
        ending = answered(deployment, document, verb, token=proofs.console)
        assert (ending.status, ending.reason) == (403, "no_assertion")
    assert plan_of(deployment, document).approvals == ()


@pytest.mark.parametrize("caller", ["ann@example.com", "eve@example.com", f"x{CONSOLE}"])
def test_only_the_console_hands_on(waiting: tuple[Deployment, Object], proofs: Proofs, caller: str) -> None:
    """An assertion that another caller hands on counts for nothing, whoever it is and whoever it is about."""
    deployment, document = waiting
    ending = handed(deployment, document, proofs.iap.assertion(), proofs.issuer.token(caller))
    assert (ending.status, ending.reason) == (403, "not_the_console")


def test_a_person_who_is_not_listed(waiting: tuple[Deployment, Object], proofs: Proofs) -> None:
    """Whom IAP lets in and the guardrails do not list may look, and approves nothing."""
    deployment, document = waiting
    ending = handed(deployment, document, proofs.iap.assertion("eve@example.com"), proofs.console)
    assert (ending.status, ending.reason) == (403, "approver_not_listed")


def test_without_a_console_nothing_is_handed_on(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, proofs: Proofs
) -> None:
    """Where settings name no console, what one hands on is refused, and it stands for nobody."""
    deployment = asking(tmp_path, cluster, proofs, console="", iap_audience="")
    document = finding_about(pod)
    deployment.respond_to(document)
    ending = handed(deployment, document, proofs.iap.assertion(), proofs.console)
    assert (ending.status, ending.reason) == (403, "not_the_console")


@pytest.mark.parametrize("left_out", ["console", "iap_audience"])
def test_half_a_console_stops_the_start(
    tmp_path: Path, cluster: SimulatedCluster, proofs: Proofs, left_out: str
) -> None:
    """The identity without the audience, or the audience without the identity, is a mistake that stops the start."""
    with pytest.raises(SettingsError, match=f"SCC_RESPONDER_{left_out.upper()}"):
        asking(tmp_path, cluster, proofs, **{left_out: ""})


def wrong_claims(iap: LocalIap) -> list[str]:
    """Assertions that IAP signed, and that are not for this."""
    wrong: list[dict[str, Any]] = [
        {"aud": "/projects/1/locations/europe-west1/services/other"},
        {"aud": "/projects/123456789012/global/backendServices/1"},
        {"aud": AUDIENCE},
        {"aud": None},
        {"iss": "https://accounts.google.com"},
        {"iss": None},
        {"iat": 1, "exp": 2},
        {"iat": 4_000_000_000, "exp": 4_000_000_600},
        {"exp": None},
        {"email": None},
        {"email": CONSOLE},
        {"email": "ann@example.com.example.org"},
        {"email": "securetoken.google.com/p:ann@example.com"},
        {"sub": None},
        {"sub": "sts.google.com:1"},
    ]
    return [iap.assertion(**claims) for claims in wrong]


def wrong_callers(issuer: Issuer) -> list[str]:
    """Tokens that do not say that the console calls."""
    return [
        "",
        "secret",
        issuer.token(CONSOLE, aud="https://other.example.com"),
        issuer.token(CONSOLE, aud=IAP_AUDIENCE),
        issuer.token(CONSOLE, iss="https://cloud.google.com/iap"),
        issuer.token(CONSOLE, key=another_key()),
        issuer.token(CONSOLE, email_verified=False),
        issuer.token(CONSOLE, iat=1, exp=2),
        issuer.token(CONSOLE).rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE",
        issuer.token(f"{CONSOLE}.example.org"),
        issuer.token("scc-responder-run@example-project.iam.gserviceaccount.com"),
        issuer.token("ann@example.com"),
    ]


def hand_overs(proofs: Proofs) -> list[tuple[str, str]]:
    """An assertion and a caller's token, each pair of which is forged in one respect or in both."""
    bad_assertions = [*forged(proofs.iap).values(), *wrong_claims(proofs.iap), proofs.issuer.token(), proofs.console]
    bad_callers = wrong_callers(proofs.issuer)
    of_the_console = [(assertion, proofs.console) for assertion in bad_assertions]
    of_a_person = [(proofs.iap.assertion(), token) for token in bad_callers]
    return [*of_the_console, *of_a_person, *zip(bad_assertions * 2, bad_callers * 6, strict=False)]


def test_of_a_hundred_forged_hand_overs_none_passes(
    waiting: tuple[Deployment, Object], cluster: SimulatedCluster, proofs: Proofs
) -> None:
    """Of a hundred forged hand-overs none approves or rejects, changes the case, or reaches the cluster."""
    deployment, document = waiting
    before = deployment.case(document)
    pairs = hand_overs(proofs)
    assert len(pairs) >= 100

    endings = [
        handed(deployment, document, assertion, token, verb) for assertion, token in pairs for verb in ANSWER_VERBS
    ]

    assert {ending.status for ending in endings} == {403}
    assert deployment.case(document) == before
    assert mutations(cluster.audit) == []
    assert not any(assertion in str(deployment.lines) for assertion, _ in pairs if len(assertion) > 20)


def test_a_refusal_says_why_to_the_console_alone(waiting: tuple[Deployment, Object], proofs: Proofs) -> None:
    """The console gets a word for the person at the page, and nothing of the case; any other caller gets none."""
    deployment, document = waiting
    handed_on = handed(deployment, document, proofs.iap.assertion("eve@example.com"), proofs.console)
    assert json.loads(handed_on.body) == {"refused": "approve", "reason": "approver_not_listed"}
    assert answered(deployment, document, token=proofs.issuer.token("eve@example.com")).body == ""


def test_a_replay_has_no_effect(waiting: tuple[Deployment, Object], cluster: SimulatedCluster, proofs: Proofs) -> None:
    """The same hand-over again does nothing more: a plan is carried out once, whoever says so how often."""
    deployment, document = waiting
    assertion, digest = proofs.iap.assertion(), plan_of(deployment, document).digest
    first = handed(deployment, document, assertion, proofs.console, plan=digest)
    again = [
        handed(deployment, document, assertion, proofs.console, verb, plan=digest) for verb in ("approve", "reject")
    ]

    assert first.status == 204
    assert [(ending.status, ending.reason) for ending in again] == [(409, "approval_used")] * 2
    assert mutations(cluster.audit) == ["patch pods"]


def test_a_stale_page_approves_nothing(waiting: tuple[Deployment, Object], proofs: Proofs) -> None:
    """An answer to another plan than the one that waits is refused, with a true assertion too."""
    deployment, document = waiting
    for plan in ("0" * 64, ""):
        ending = handed(deployment, document, proofs.iap.assertion(), proofs.console, plan=plan)
        assert (ending.status, ending.reason) == (409, "plan_digest_differs")


def test_one_person_counts_once(tmp_path: Path, cluster: SimulatedCluster, pod: Object, proofs: Proofs) -> None:
    """Where two are needed, one person's assertions and token count once together, and another person's is needed."""
    deployment, document = asking(tmp_path, cluster, proofs, needed=2), finding_about(pod)
    deployment.respond_to(document)

    reasons = [
        handed(deployment, document, proofs.iap.assertion(), proofs.console).reason,
        handed(deployment, document, proofs.iap.assertion(iat=1), proofs.console).reason,
        answered(deployment, document, token=proofs.issuer.token("ann@example.com")).reason,
    ]
    waited = mutations(cluster.audit)
    second = handed(deployment, document, proofs.iap.assertion("bob@example.com"), proofs.console)

    assert reasons == ["approval_noted", "already_approved", "already_approved"]
    assert waited == []
    assert (second.reason, mutations(cluster.audit)) == ("done", ["patch pods"])
