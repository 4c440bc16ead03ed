"""A console for tests: its pages as a browser asks for them, and who answers there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from scc_responder.entrypoint.console.console_app import Console, make_app
from scc_responder.entrypoint.console.persons_answer import Heard, Hearing, Person, PersonsAnswer, Verb
from scc_responder.journal.journal import Journal

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

BASE = "https://console.example.com"
ANNA = Person(name="anna@example.com", session="one", proof="her-assertion")
KEY = b"k" * 32


class KnownPerson:
    """`IdentifiesPerson` that knows one person."""

    def __init__(self, person: Person = ANNA) -> None:
        self.someone = person

    def person(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Person:
        return self.someone


class KeptAnswers:
    """`TakesAnswers` that keeps what it was given, and answers as it is told."""

    def __init__(self, verbs: frozenset[Verb] = frozenset(Verb)) -> None:
        self.verbs = verbs
        self.heard = Heard(hearing=Hearing.TAKEN, reason="approved")
        self.given: list[tuple[PersonsAnswer, Person]] = []

    def take(self, answer: PersonsAnswer, person: Person) -> Heard:
        self.given.append((answer, person))
        return self.heard


class FormsOf(HTMLParser):
    """The forms of a page: where each goes to, and its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._fields = self.forms.setdefault(given["action"], {})
        if tag == "input":
            self._fields[given["name"]] = given.get("value", "")


class Browser:
    """A browser without a screen: it follows no script, and sends what browsers send of a form."""

    def __init__(self, journal: Journal, **parts: Any) -> None:
        self.answers = parts.pop("answers", KeptAnswers())
        self.identity = parts.pop("identity", KnownPerson())
        self.base = parts.pop("base_url", BASE)
        console = Console(
            journal=lambda: journal,
            identity=self.identity,
            answers=self.answers,
            base_url=self.base,
            key=parts.pop("key", KEY),
            **parts,
        )
        self.client = make_app(console).test_client()

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, base_url=self.base, **more)

    def forms(self, path: str) -> dict[str, dict[str, str]]:
        return FormsOf(self.get(path).text).forms

    def send(self, path: str, fields: Mapping[str, str], **headers: str) -> TestResponse:
        sent = {"Origin": "null", "Sec-Fetch-Site": "same-origin", **headers}
        return self.client.post(path, base_url=self.base, data=fields, headers=sent)

    def click(self, page: str, verb: str, said: str = "") -> TestResponse:
        """Open the page, and send its form for this answer."""
        path = re.sub(r"/(plan|undo)$", "", page) + f"/{verb}"
        return self.send(path, {**self.forms(page)[path], "said": said})


def said_by(response: TestResponse) -> str:
    """The page's heading."""
    found = re.search(r"<h1>(.*?)</h1>", response.text, re.DOTALL)
    return found[1] if found else ""
