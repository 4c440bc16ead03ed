"""Behind IAP a person is whom the assertion names, and an answer is the function's to decide."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from scc_responder.adapters.google.access.iap_assertions import IapIdentity
from scc_responder.domain.errors import ApiError, Forbidden, ResponderError
from scc_responder.domain.resource_names import ASSERTION_HEADER
from scc_responder.entrypoint.console.behind_iap import IAP_HEADER, HandedOn, PersonBehindIap
from scc_responder.entrypoint.console.persons_answer import UNDOES, Heard, Hearing, Person, PersonsAnswer, Verb
from scc_responder.pipeline.approvals import ANSWER_VERBS
from scc_responder.pipeline.undo.undo_request import UNDO_VERBS
from tests.kits.google.iap import IAP_AUDIENCE, LocalIap

KEY = "a" * 64
PLAN = "b" * 64
ANSWER = PersonsAnswer(verb=Verb.APPROVE, finding_key=KEY, plan=PLAN, said="seen")
ANNA = Person(name="anna@example.com", proof="her-assertion")


@pytest.fixture(scope="module")
def iap() -> Iterator[LocalIap]:
    """IAP."""
    with LocalIap() as running:
        yield running


def test_the_assertion_says_who_it_is_and_is_the_proof(iap: LocalIap) -> None:
    """The person is the one whom IAP let in, and what proves it goes with each answer."""
    assertion = iap.assertion("Anna@example.com")
    person = PersonBehindIap(IapIdentity(IAP_AUDIENCE, iap.address)).person({IAP_HEADER: assertion}, {})
    assert (person.name, person.proof) == ("anna@example.com", assertion)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-goog-authenticated-user-email": "accounts.google.com:anna@example.com"},
        {"x-goog-authenticated-user-id": "accounts.google.com:1", "x-forwarded-email": "anna@example.com"},
        {"authorization": "Bearer e30.e30.e30"},
    ],
)
def test_no_other_header_says_who_it_is(iap: LocalIap, headers: dict[str, str]) -> None:
    """What anybody could write names nobody."""
    with pytest.raises(Forbidden) as refused:
        PersonBehindIap(IapIdentity(IAP_AUDIENCE, iap.address)).person(headers, {"session": "anna@example.com"})
    assert refused.value.reason == "not_signed_in"


class Function:
    """The function: answers as it is told, and keeps what it was sent."""

    def __init__(self) -> None:
        self.status, self.body = 200, b""
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        function = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                function.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, sent))
                self.send_response(function.status)
                self.send_header("Content-Length", str(len(function.body)))
                self.end_headers()
                self.wfile.write(function.body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def function() -> Iterator[Function]:
    """The function on this machine."""
    made = Function()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def taken(**other: str) -> bytes:
    """What the function says of an answer that it took."""
    return json.dumps({"answer": "approve", "case": KEY[:12], "plan": PLAN, "reason": "done", **other}).encode()


def refused(reason: str) -> bytes:
    """What it says of one that it did not take."""
    return json.dumps({"refused": "approve", "reason": reason}).encode()


HEARD: list[Any] = [
    pytest.param(200, taken(), Hearing.TAKEN, "done", id="taken"),
    pytest.param(200, taken(reason="approval_noted"), Hearing.TAKEN, "approval_noted", id="noted"),
    pytest.param(503, taken(reason="deadline"), Hearing.BEGUN, "deadline", id="begun"),
    pytest.param(403, refused("approver_not_listed"), Hearing.REFUSED, "approver_not_listed", id="not-listed"),
    pytest.param(409, refused("plan_digest_differs"), Hearing.REFUSED, "plan_digest_differs", id="another-plan"),
    pytest.param(503, refused("case_in_progress"), Hearing.REFUSED, "case_in_progress", id="busy"),
    pytest.param(403, b"<html>Forbidden</html>", Hearing.REFUSED, "", id="refused-by-cloud-run"),
    *(
        pytest.param(503, refused(reason), Hearing.UNKNOWN, reason, id=reason)
        for reason in ("store_unavailable", "store_outcome_unknown", "internal_error", "ledger_contended")
    ),
    pytest.param(503, b"", Hearing.UNKNOWN, "", id="no-word"),
    pytest.param(200, b"", Hearing.UNKNOWN, "", id="no-word-of-success"),
    pytest.param(200, taken(plan="c" * 64), Hearing.UNKNOWN, "done", id="of-another-plan"),
    pytest.param(200, taken(case="d" * 12), Hearing.UNKNOWN, "done", id="of-another-case"),
    pytest.param(200, taken(answer="reject"), Hearing.UNKNOWN, "done", id="of-another-answer"),
    pytest.param(204, b"", Hearing.UNKNOWN, "", id="somebody-else's-204"),
    pytest.param(302, b"", Hearing.UNKNOWN, "", id="a-sign-in-page"),
]


@pytest.mark.parametrize(("status", "body", "hearing", "reason"), HEARD)
def test_what_the_function_says_is_what_is_shown(
    function: Function, status: int, body: bytes, hearing: Hearing, reason: str
) -> None:
    """Taken is only what the function says was taken, of this case and plan; no word is told as no word."""
    function.status, function.body = status, body
    heard = HandedOn(function.url, lambda audience: f"token-for-{audience}").take(ANSWER, ANNA)
    assert heard == Heard(hearing=hearing, reason=reason)


def test_much_that_is_said_is_read_to_its_end(function: Function) -> None:
    """An undo has a line for each step of each case of a pod: it is not told as unknown for its length."""
    lines = tuple(f"isolate_pod: undone, {number:>200}" for number in range(1_000))
    function.body = taken(lines="\n".join(lines))
    heard = HandedOn(function.url, str).take(ANSWER, ANNA)
    assert (heard.hearing, heard.lines) == (Hearing.TAKEN, lines)


def test_both_proofs_go_along(function: Function) -> None:
    """The console's own token, made for the function, and the person's assertion go with the answer, and no name."""
    HandedOn(function.url, lambda audience: f"token-for-{audience}").take(ANSWER, ANNA)
    ((path, headers, sent),) = function.asked
    assert (path, sent) == ("/approve", {"case": KEY, "plan": PLAN, "reason": "seen"})
    assert headers["authorization"] == headers["x-serverless-authorization"] == f"Bearer token-for-{function.url}"
    assert headers[ASSERTION_HEADER] == ANNA.proof
    assert "anna" not in str({**headers, ASSERTION_HEADER: ""})


def test_what_the_function_says_more_is_told(function: Function) -> None:
    """Of a mark: which policies it lowered."""
    function.body = taken(answer="mark_wrong", lines="policy a asks a person first\npolicy b, too")
    mark = PersonsAnswer(verb=Verb.MARK_WRONG, finding_key=KEY, plan=PLAN)
    heard = HandedOn(function.url, str).take(mark, ANNA)
    assert (heard.hearing, heard.lines) == (Hearing.TAKEN, ("policy a asks a person first", "policy b, too"))
    assert function.asked[0][0] == "/mark_wrong"


def test_without_a_token_nothing_is_sent(function: Function) -> None:
    """Where the console cannot say who it is, it sends nothing; where nobody answers, that is said."""

    def none(_audience: str) -> str:
        raise ApiError("no_credentials", "nobody says who this is")

    with pytest.raises(ApiError, match="nobody says"):
        HandedOn(function.url, none).take(ANSWER, ANNA)
    assert function.asked == []
    with pytest.raises(ResponderError, match="did not answer"):
        HandedOn("http://127.0.0.1:9", lambda _: "token").take(ANSWER, ANNA)


def test_what_takes_another_identity_is_not_handed_on(function: Function) -> None:
    """Undo takes what the function has not: a page shows the command, or a service of its own takes it back."""
    assert HandedOn("https://f.example.com", str).verbs == frozenset(Verb) - UNDOES == frozenset(ANSWER_VERBS)
    undoing = HandedOn("https://f.example.com", lambda audience: f"token-for-{audience}", function.url)
    assert undoing.verbs == frozenset(Verb)
    assert frozenset(UNDO_VERBS) == UNDOES
    function.body = taken(answer="undo", reason="undone", lines="isolate_pod: done")
    undo = PersonsAnswer(verb=Verb.UNDO, finding_key=KEY, plan=PLAN)
    assert undoing.take(undo, ANNA) == Heard(hearing=Hearing.TAKEN, reason="undone", lines=("isolate_pod: done",))
    ((path, headers, _),) = function.asked
    assert (path, headers["authorization"]) == ("/undo", f"Bearer token-for-{function.url}")


@pytest.mark.parametrize(
    ("status", "body", "hearing"),
    [
        (200, taken(answer="undo", reason="undo_refused"), Hearing.IN_PART),
        (409, b'{"refused": "undo", "reason": "nothing_to_undo"}', Hearing.REFUSED),
        (409, b'{"refused": "undo", "reason": "plan_digest_differs"}', Hearing.REFUSED),
        (500, b'{"refused": "undo", "reason": "store_unavailable"}', Hearing.UNKNOWN),
    ],
)
def test_an_undo_that_did_not_end_well_is_no_success(
    function: Function, status: int, body: bytes, hearing: Hearing
) -> None:
    """In part, not at all, or nobody can tell: each is told as what it is."""
    function.status, function.body = status, body
    undo = PersonsAnswer(verb=Verb.UNDO, finding_key=KEY, plan=PLAN)
    assert HandedOn("https://f.example.com", str, function.url).take(undo, ANNA).hearing is hearing
