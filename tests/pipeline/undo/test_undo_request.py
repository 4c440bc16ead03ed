"""An undo that the console hands on: a listed person's, of what was shown, once; nothing else takes anything back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import RetryableError, StoreUnavailable
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import ASSERTION_HEADER
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.journal import Transition
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.approvals import AnswerRequest
from scc_responder.pipeline.undo.undo_record import undo_digest
from scc_responder.pipeline.undo.undo_request import UNDO_VERBS, take_back
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import HERE
from tests.kits.google.iap import IAP_AUDIENCE, LocalIap, forged
from tests.kits.google.issuer import AUDIENCE, Issuer, another_key
from tests.kits.responder import RAILS, Deployment, OneCluster, api_of, deployed, finding_about, policy
from tests.kits.undo_nights import cluster

__all__ = ["cluster"]

Object = dict[str, Any]
CONSOLE = "scc-responder-console@example-project.iam.gserviceaccount.com"
RULES = RAILS + "approval: {approvers: [%s], needed: 1}\n"
STALE = "f" * 64


class UndoService:
    """A case that isolated a pod, and the service that takes it back, with its own token issuer and IAP."""

    def __init__(self, folder: Path, cluster: SimulatedCluster, approvers: str = "ann@example.com") -> None:
        self.issuer, self.iap = Issuer().__enter__(), LocalIap().__enter__()
        given = {"console": CONSOLE, "iap_audience": IAP_AUDIENCE, "iap_keys": self.iap.address}
        tokens = {"approval_audience": AUDIENCE, "approval_certs": self.issuer.certs}
        asked = policy("label_pod", "isolate_pod", "capture_evidence")
        self.cluster = cluster
        self.deployment: Deployment = deployed(folder, cluster, asked, guardrails=RULES % approvers, **tokens, **given)
        self.document = finding_about(cluster.objects("Pod", "shop")[0])
        self.deployment.respond_to(self.document)
        self.deployment.services.clusters = OneCluster(api_of(cluster, "undo"))

    def close(self) -> None:
        """End what says who is who."""
        self.issuer.__exit__(None, None, None)
        self.iap.__exit__(None, None, None)

    @property
    def record(self) -> CaseRecord:
        return self.deployment.case(self.document)

    @property
    def isolations(self) -> int:
        return len(self.cluster.objects("NetworkPolicy", "shop"))

    def ask(self, verb: str = "undo", assertion: str | None = None, token: str | None = None, **body: str) -> Ending:
        """What the console hands on; empty proofs are left out."""
        record = self.record
        sent = {"case": record.finding_key[:12], "plan": undo_digest(record), "reason": "a load test", **body}
        person = self.iap.assertion() if assertion is None else assertion
        bearer = self.issuer.token(CONSOLE) if token is None else token
        headers = {**HERE, "authorization": f"Bearer {bearer}", **({ASSERTION_HEADER: person} if person else {})}
        request = AnswerRequest(verb=verb, body=json.dumps(sent).encode(), headers=headers, peer="192.0.2.7")
        return take_back(request, self.deployment.services)


@pytest.fixture
def service(tmp_path: Path, cluster: SimulatedCluster) -> Iterator[UndoService]:
    """The same."""
    made = UndoService(tmp_path, cluster)
    yield made
    made.close()


def test_a_person_takes_a_case_back(service: UndoService) -> None:
    """The rehearsal changes nothing. The undo is read back, journaled as the person's word, told, and logged."""
    before = service.record
    rehearsed = service.ask("rehearse_undo")
    assert (rehearsed.status, service.record, service.isolations) == (204, before, 1)
    assert "isolate_pod: dry_run" in json.loads(rehearsed.body)["lines"]

    digest = undo_digest(before)
    done = service.ask(plan=digest)
    told = json.loads(done.body)
    assert (done.status, told["answer"], told["plan"], told["reason"]) == (204, "undo", digest, "undone")
    assert "isolate_pod: done" in told["lines"]
    word = service.record.word
    assert word is not None
    assert (word.kind, word.by, word.said) == (WordKind.UNDONE, "ann@example.com", "a load test")
    assert service.isolations == 0
    assert service.deployment.published.messages[-1]["attributes"]["reason"] == "undone"
    line = service.deployment.line
    assert (line["approver"], line["through"], line["case"]) == ("ann@example.com", "console", told["case"])


def test_what_was_shown_is_taken_back_and_nothing_else(service: UndoService) -> None:
    """Another digest, none, and the one of before the case changed: refused with a sentence, once is once."""
    digest = undo_digest(service.record)
    for plan in (STALE, "", digest[:12], service.record.digest[:64]):
        ending = service.ask(plan=plan)
        assert (ending.status, ending.reason) in {(409, "plan_digest_differs"), (400, "malformed_answer")}
    assert service.isolations == 1
    assert service.ask(plan=digest).status == 204
    replayed = service.ask(plan=digest)
    assert (replayed.status, replayed.reason) == (409, "plan_digest_differs")
    again = service.ask()
    assert (again.status, again.reason) == (409, "nothing_to_undo")
    assert json.loads(again.body) == {"refused": "undo", "reason": "nothing_to_undo"}


def forgeries(service: UndoService) -> list[tuple[str | None, str | None]]:
    """Assertions and callers, each pair of which is forged, foreign, old, or of somebody who may not."""
    iap, issuer = service.iap, service.issuer
    assertions = [
        *forged(iap).values(),
        "",
        "secret",
        issuer.token(CONSOLE),
        iap.assertion("eve@example.com"),
        iap.assertion(CONSOLE),
        iap.assertion(aud="/projects/1/locations/europe-west1/services/other"),
        iap.assertion(aud=AUDIENCE),
        iap.assertion(iss="https://accounts.google.com"),
        iap.assertion(iat=1, exp=2),
        iap.assertion(sub="sts.google.com:1"),
    ]
    callers = [
        "",
        issuer.token("ann@example.com"),
        issuer.token("scc-responder-run@example-project.iam.gserviceaccount.com"),
        issuer.token(CONSOLE, aud="https://function.example.com"),
        issuer.token(CONSOLE, key=another_key()),
        issuer.token(CONSOLE, iat=1, exp=2),
    ]
    past_the_console = ("", issuer.token("ann@example.com"))
    return [past_the_console, *((one, None) for one in assertions), *((None, one) for one in callers)]


@pytest.mark.parametrize("verb", UNDO_VERBS)
def test_nobody_else_takes_anything_back(service: UndoService, verb: str) -> None:
    """Not the console alone, not a listed person past it, not the function, and nobody who is not listed."""
    before = service.record
    endings = [service.ask(verb, assertion, token) for assertion, token in forgeries(service)]
    assert {ending.status for ending in endings} == {403}
    assert {"no_assertion", "approver_not_listed", "not_the_console"} <= {str(ending.reason) for ending in endings}
    assert (service.record, service.isolations) == (before, 1)


def test_where_nobody_is_listed_nobody_may(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """It fails closed."""
    made = UndoService(tmp_path, cluster, approvers="")
    ending = made.ask()
    made.close()
    assert (ending.status, ending.reason, made.isolations) == (403, "approver_not_listed", 1)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"case": "../../etc"}', b"x" * 10_000])
def test_what_is_no_undo_is_refused(service: UndoService, body: bytes) -> None:
    """Before anything is read."""
    headers = {"authorization": f"Bearer {service.issuer.token(CONSOLE)}", ASSERTION_HEADER: service.iap.assertion()}
    request = AnswerRequest(verb="undo", body=body, headers={**HERE, **headers}, peer="192.0.2.7")
    assert take_back(request, service.deployment.services).status == 400
    assert service.isolations == 1


def test_a_case_that_is_worked_on_is_left_alone(service: UndoService) -> None:
    """Whoever works on it may be about to do what is to be taken back."""
    journal, key = service.deployment.services.journal, service.record.finding_key
    claimed, _ = journal.apply(key, taken)
    assert claimed.status == 204
    ending = service.ask()
    assert (ending.status, ending.reason, service.isolations) == (503, "case_in_progress", 1)


def taken(record: CaseRecord, _is_held: bool) -> Transition:
    """The case, taken by somebody else."""
    return Transition(reason=Reason.RESUMED, status=204, record=record, starts=True)


@pytest.mark.parametrize(
    "error", [StoreUnavailable(Reason.STORE_UNAVAILABLE), RetryableError(Reason.CASE_CONTENDED, "a case")]
)
def test_what_fails_on_the_way_is_told_as_not_known(
    service: UndoService, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Nobody can tell what stands, and no word says that nothing was done."""
    services = service.deployment.services
    kept, writes = services.store.replace, []

    def failing(*given: Any, **options: Any) -> Any:
        writes.append(given)
        if len(writes) > 1:
            raise error
        return kept(*given, **options)

    monkeypatch.setattr(services.store, "replace", failing)
    ending = service.ask()
    assert (ending.status, service.isolations) == (500, 0)
    assert ending.reason in {"store_unavailable", "case_contended"}
