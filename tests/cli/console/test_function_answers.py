"""Answers sent to the function: with the person's own token, and told as taken only where it says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from scc_responder.cli.console.function_answers import FunctionAnswers
from scc_responder.domain.errors import ResponderError
from scc_responder.entrypoint.console.persons_answer import Hearing, Person, PersonsAnswer, Verb

KEY, PLAN = "0a" * 32, "ab" * 32
ANNA = Person(name="anna", session="one")
ANSWER = PersonsAnswer(verb=Verb.APPROVE, finding_key=KEY, plan=PLAN, said="INC-1")
SAID = {"answer": "approve", "case": KEY[:12], "plan": PLAN, "reason": "approved"}


class Function(ThreadingHTTPServer):
    """A function that answers as it is told, and keeps what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body = 200, json.dumps(SAID)
        self.came: list[tuple[str, dict[str, Any], str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Function)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.came.append((self.path, body, self.headers.get("Authorization", "")))
        self.send_response(server.status)
        self.end_headers()
        self.wfile.write(server.body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def function() -> Iterator[Function]:
    """A function on this machine."""
    with Function() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_answer_is_sent_with_the_token_of_that_moment(function: Function) -> None:
    """A token is read anew for each answer."""
    tokens = iter(("one", "two"))
    answers = FunctionAnswers(function.url, lambda: next(tokens))
    assert answers.take(ANSWER, ANNA).hearing is Hearing.TAKEN
    assert answers.take(ANSWER, ANNA).reason == "approved"
    body = {"case": KEY, "plan": PLAN, "reason": "INC-1"}
    assert function.came == [("/approve", body, "Bearer one"), ("/approve", body, "Bearer two")]


@pytest.mark.parametrize(
    ("status", "body", "hearing"),
    [
        (503, json.dumps(SAID), Hearing.BEGUN),
        (503, "", Hearing.REFUSED),
        (403, "", Hearing.REFUSED),
        (409, "", Hearing.REFUSED),
        (200, "", Hearing.UNKNOWN),
        (200, json.dumps({**SAID, "plan": "cd" * 32}), Hearing.UNKNOWN),
        (200, "<html>", Hearing.UNKNOWN),
        (500, "", Hearing.UNKNOWN),
        (502, "", Hearing.UNKNOWN),
        (503, "the instance crashed", Hearing.UNKNOWN),
        (504, "upstream request timeout", Hearing.UNKNOWN),
    ],
)
def test_only_what_the_function_says_is_told(function: Function, status: int, body: str, hearing: Hearing) -> None:
    """Another plan, another server, a refusal: never told as taken."""
    function.status, function.body = status, body
    heard = FunctionAnswers(function.url, str).take(ANSWER, ANNA)
    assert heard.hearing is hearing
    assert heard.lines or hearing is Hearing.BEGUN


@pytest.mark.parametrize("verb", sorted(FunctionAnswers.verbs))
def test_each_answer_that_the_function_takes_is_sent(function: Function, verb: Verb) -> None:
    """To a path of its own; what takes another identity than the function's is not among them."""
    function.body = json.dumps({**SAID, "answer": verb, "lines": "policy a asks a person first"})
    heard = FunctionAnswers(function.url, str).take(PersonsAnswer(verb=verb, finding_key=KEY, plan=PLAN), ANNA)
    assert (heard.hearing, heard.lines) == (Hearing.TAKEN, ("policy a asks a person first",))
    assert function.came[0][0] == f"/{verb}"
    assert FunctionAnswers.verbs == frozenset(Verb) - {Verb.UNDO, Verb.REHEARSE_UNDO}


def test_a_function_that_is_not_there_is_an_error() -> None:
    """And the token goes to no other machine in the clear."""
    for url in ("http://127.0.0.1:9", "http://example.com"):
        with pytest.raises(ResponderError):
            FunctionAnswers(url, lambda: "one").take(ANSWER, ANNA)
