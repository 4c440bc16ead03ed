"""Console and function as Terraform renders them, from one zip: a person behind IAP opens a case and approves it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.resource_names import ASSERTION_HEADER
from scc_responder.domain.status import CaseState
from scc_responder.entrypoint.console.behind_iap import IAP_HEADER
from scc_responder.entrypoint.console.deployed_console import deployed_console
from scc_responder.journal.case import WordKind
from tests.kits.google.iap import iap_key
from tests.rehearsal.google_side import Response
from tests.rehearsal.local import OF_THE_CONSOLE
from tests.rehearsal.run_stage import APPROVER, ServedRun, Victim
from tests.rehearsal.served_console import ServedConsole
from tests.rehearsal.test_run_rehearsal import AFTER, BEFORE, PLAN, waiting, written
from tests.terraform.checking import OwnTests

pytestmark = pytest.mark.timeout(300)
LONE_KEY = iap_key()


@pytest.fixture(scope="module")
def rendered(tested: OwnTests) -> dict[str, str]:
    """The console's environment, as the module hands it to `terraform/console`."""
    assert tested.passed, tested.told
    environment: dict[str, str] = tested.outputs()["delivery/cloud_run"]["console"]["environment"]
    return environment


@pytest.fixture(scope="module")
def rendered_undo(tested: OwnTests) -> dict[str, str]:
    """The same of the service of undo."""
    environment: dict[str, str] = tested.outputs()["delivery/cloud_run"]["console"]["undo"]["environment"]
    return environment


@pytest.fixture
def console(
    served_run: ServedRun, answering: Path, rendered: dict[str, str], rendered_undo: dict[str, str]
) -> Iterator[ServedConsole]:
    """Console and undo beside the function; nobody signed in."""
    with ServedConsole(served_run, answering, rendered, rendered_undo) as serving:
        yield serving


@pytest.fixture
def victim(served_run: ServedRun) -> Victim:
    """A compromised service."""
    return served_run.stage.service()


@pytest.fixture
def response(served_run: ServedRun, victim: Victim) -> Response:
    """Its finding's case, whose plan waits."""
    return waiting(served_run, victim)


def test_a_person_approves_in_the_browser(
    served_run: ServedRun, console: ServedConsole, victim: Victim, response: Response
) -> None:
    """From the list to the case to its plan to the click: what was approved is done, read back, and shown, once."""
    case, run = f"/case/{response.key[:12]}", served_run.stage.run
    assert (response.steps, written(victim, run)) == (BEFORE, [])
    console.proxy.visitor = APPROVER

    assert case in console.get("/").text
    assert console.get(case).status == 200
    form = console.forms(f"{case}/plan")[f"{case}/approve"]
    done = console.send(f"{case}/approve", {**form, "said": "seen on the page"})

    assert (done.status, done.heading.partition(".")[0]) == (200, "Approved"), done.text
    assert (response.case.state, response.steps) == (CaseState.DONE, AFTER), response.log
    assert written(victim, run) == ["UpdateService"] * len(PLAN)
    plan = response.case.plan
    assert plan is not None
    assert [given.by for given in plan.approvals] == [APPROVER]
    assert [line for line in response.log if line.get("through") == "console" and line["approver"] == APPROVER]
    assert console.metadata.audiences == [console.environment["SCC_RESPONDER_FUNCTION_URL"]]

    again = console.send(f"{case}/approve", form)
    assert (again.status, "did nothing" in again.heading) == (409, True), again.text
    assert written(victim, run) == ["UpdateService"] * len(PLAN)


def test_a_person_takes_a_case_back_in_the_browser(
    served_run: ServedRun, console: ServedConsole, victim: Victim, response: Response
) -> None:
    """What was approved and done is taken back at a click, as the identity of undo: once, and only as it was shown."""
    case, run = f"/case/{response.key[:12]}", served_run.stage.run
    console.proxy.visitor = APPROVER
    console.send(f"{case}/approve", console.forms(f"{case}/plan")[f"{case}/approve"])
    assert response.case.state is CaseState.DONE, response.log
    before, form = written(victim, run), console.forms(f"{case}/undo")[f"{case}/undo"]
    rehearsed = console.send(f"{case}/rehearse_undo", console.forms(f"{case}/undo")[f"{case}/rehearse_undo"])
    stale = console.send(f"{case}/undo", {**form, "plan": "0" * 64})
    assert (rehearsed.heading.partition(".")[0], stale.status) == ("Nothing was changed", 409), rehearsed.text
    assert (written(victim, run), response.case.word) == (before, None)

    done = console.send(f"{case}/undo", {**form, "said": "a load test"})
    assert (done.status, done.heading.partition(".")[0]) == (200, "Taken back"), console.undo_log.read_text()
    word = response.case.word
    assert word is not None
    assert (word.kind, word.by, word.said) == (WordKind.UNDONE, APPROVER, "a load test")
    assert written(victim, run) == [*before, *["UpdateService"] * len(PLAN)]
    again = console.send(f"{case}/undo", form)
    assert (again.status, written(victim, run)) == (409, [*before, *["UpdateService"] * len(PLAN)])


def test_a_person_marks_in_the_browser(served_run: ServedRun, console: ServedConsole, response: Response) -> None:
    """The function keeps who said so, and why."""
    case = f"/case/{response.key[:12]}"
    console.proxy.visitor = APPROVER
    form = console.forms(case)[f"{case}/mark_wrong"]
    done = console.send(f"{case}/mark_wrong", {**form, "said": "a drill"})
    assert (done.status, done.heading) == (200, "Marked as wrong."), done.text
    mark = response.case.mark
    assert mark is not None
    assert (mark.is_wrong, mark.by, mark.said) == (True, APPROVER, "a drill")
    console.proxy.visitor = "eve@example.com"
    refused = console.send(f"{case}/mark_right", console.forms(case)[f"{case}/mark_right"])
    assert (refused.status, response.case.mark) == (409, mark)


def test_a_person_rejects_in_the_browser(
    served_run: ServedRun, console: ServedConsole, victim: Victim, response: Response
) -> None:
    """A rejection is handed on too: nothing of the plan is done."""
    case = f"/case/{response.key[:12]}"
    console.proxy.visitor = APPROVER
    form = console.forms(f"{case}/plan")[f"{case}/reject"]
    done = console.send(f"{case}/reject", {**form, "said": "a test of ours"})

    assert (done.status, done.heading.partition(".")[0]) == (200, "Rejected"), done.text
    plan = response.case.plan
    assert plan is not None
    assert (plan.by, written(victim, served_run.stage.run)) == (APPROVER, [])


def test_what_is_not_an_answer_is_refused_with_a_sentence(
    served_run: ServedRun, console: ServedConsole, victim: Victim, response: Response
) -> None:
    """A person who is not listed, one past IAP, another's form, another site's, an old page: none does anything."""
    case, before = f"/case/{response.key[:12]}", response.case
    assert console.get("/").status == 302, "IAP lets nobody in who did not sign in"
    console.proxy.visitor = APPROVER
    form = console.forms(f"{case}/plan")[f"{case}/approve"]
    elsewhere = console.send(f"{case}/approve", form, **{"Sec-Fetch-Site": "cross-site"})
    stale = console.send(f"{case}/approve", {**form, "plan": "0" * 64})
    console.proxy.visitor = "eve@example.com"
    stolen = console.send(f"{case}/approve", form)
    own = console.send(f"{case}/approve", console.forms(f"{case}/plan")[f"{case}/approve"])
    mail = {"x-goog-authenticated-user-email": f"accounts.google.com:{APPROVER}"}
    past = console.past_iap(case, **mail)
    forged = console.past_iap(
        case, **{IAP_HEADER: served_run.stage.iap.assertion(aud="/projects/1/global/backendServices/2")}
    )

    assert {page.status for page in (elsewhere, stolen, past, forged)} == {403}
    assert (stale.status, own.status) == (409, 409)
    told = [page.text for page in (elsewhere, stale, stolen, own, past, forged)]
    assert [word for page, word in zip(told, SENTENCES, strict=True) if word not in page] == []
    assert response.case == before
    assert written(victim, served_run.stage.run) == []


SENTENCES = (
    "This form was not sent by a page of the console.",
    "The case changed since this form was made",
    "The console did not make this form for you",
    "guardrails do not list who asks as an approver",
    "does not know who you are",
    "the token is for another service",
)
"""What each of them is told."""


def test_the_console_alone_approves_nothing_at_the_function(served_run: ServedRun, response: Response) -> None:
    """With the console's own token, and with what it replays or makes up, the function refuses, and says why to it."""
    stage, plan = served_run.stage, response.case.plan
    assert plan is not None
    identity = served_run.environment["SCC_RESPONDER_CONSOLE"]
    token = stage.issuer.token(identity, aud=served_run.environment["SCC_RESPONDER_APPROVAL_AUDIENCE"])
    person = stage.issuer.token(APPROVER, aud=served_run.environment["SCC_RESPONDER_APPROVAL_AUDIENCE"])
    body = json.dumps({"case": response.key, "plan": plan.digest})
    asked = [
        (token, "", ""),
        (token, person, "token_malformed"),
        (token, stage.iap.assertion(APPROVER, iat=1, exp=2), "token_expired"),
        (token, stage.iap.assertion(APPROVER, key=LONE_KEY), "token_not_verified"),
        (person, stage.iap.assertion(APPROVER), "not_the_console"),
    ]
    for bearer, assertion, reason in asked:
        connection = HTTPConnection("127.0.0.1", served_run.function.port, timeout=60)
        headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
        connection.request(
            "POST", "/approve", body, {**headers, **({ASSERTION_HEADER: assertion} if assertion else {})}
        )
        answer = connection.getresponse()
        told = answer.read()
        assert answer.status == 403
        assert (json.loads(told)["reason"] if told else "") == reason
        connection.close()
    assert response.case.plan == plan


def test_every_setting_of_the_console_is_the_rendered_one(console: ServedConsole, rendered: dict[str, str]) -> None:
    """Every setting is the rendered one but those of the table, and on Cloud Run what is local is refused."""
    assert {name for name in rendered if console.environment[name] != rendered[name]} == OF_THE_CONSOLE.keys()
    deployed_console({**rendered, "K_SERVICE": "scc-responder-console"})
    for name in ("SCC_RESPONDER_CONSOLE_URL", "SCC_RESPONDER_FUNCTION_URL", "SCC_RESPONDER_IAP_KEYS"):
        with pytest.raises(SettingsError, match=name):
            deployed_console({**rendered, name: console.environment[name], "K_SERVICE": "scc-responder-console"})
