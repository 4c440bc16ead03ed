"""The console as a Flask app. Nothing in it decides: it shows what the journal has, and hands answers over.

No GET changes anything. A POST is an answer: from a page of the console itself, by a person who is known, on a case as
it was shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import (
    ApiError,
    DeliveryError,
    Forbidden,
    ResponderError,
    RetryableError,
    SettingsError,
)
from scc_responder.domain.finding import CASE_ID_DIGITS, case_id
from scc_responder.domain.ports import Clock
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.domain.text import visible
from scc_responder.domain.value import ODD
from scc_responder.entrypoint.console import plan_parts, sentences
from scc_responder.entrypoint.console.account_text import head_facts
from scc_responder.entrypoint.console.case_rows import BY_NEED, case_rows
from scc_responder.entrypoint.console.form_seal import FormSeal, made_at
from scc_responder.entrypoint.console.persons_answer import (
    UNDOES,
    Hearing,
    IdentifiesPerson,
    Person,
    PersonsAnswer,
    TakesAnswers,
    Verb,
)
from scc_responder.entrypoint.console.rendering import Seals, content_policy, rendered
from scc_responder.entrypoint.console.same_site import misdirected
from scc_responder.guard.resumed_case import resume_refused
from scc_responder.journal.account.about_acts import changes_made
from scc_responder.journal.account.account import account_of
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from scc_responder.journal.plan import PlanState
from scc_responder.pipeline.undo.undo_record import undo_digest

if TYPE_CHECKING:
    from flask import Flask, Request, Response

MAX_FORM_BYTES = 16 * 1024
MAX_SAID_BYTES = 500
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, kw_only=True)
class Console:
    """What the pages are made of.

    `journal` is opened when a page first needs it. `base_url` is the console's own address, without a path: links and
    checks go by it, never by what a request says. `key` seals the forms: instances of one console share it.
    `function_url` stands in the commands that a page shows.
    """

    journal: Callable[[], Journal]
    identity: IdentifiesPerson
    answers: TakesAnswers
    base_url: str
    key: bytes
    clock: Clock = utc_now
    function_url: str = ""


def make_app(console: Console) -> Flask:
    """The app. It serves any WSGI server, and `werkzeug.wrappers.Response.from_app` for one request of another app."""
    from flask import Flask, request  # noqa: PLC0415 - a delivery need not wait for it

    app = Flask("scc_responder.entrypoint.console", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_FORM_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_FORM_BYTES
    pages = _Pages(console)

    @app.before_request
    def check() -> Response | None:
        reason = misdirected(request.method, _lower(request), console.base_url)
        return pages.refused(reason) if reason else None

    @app.after_request
    def seal(response: Response) -> Response:
        response.headers.update(_HEADERS)
        response.headers["Content-Security-Policy"] = f"{content_policy(_FORMS)}; frame-ancestors 'none'"
        return response

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        return pages.failed(error)

    app.add_url_rule("/", view_func=lambda: pages.listing(request), endpoint="list", methods=["GET"])
    app.add_url_rule("/case/<case>", view_func=lambda case: pages.case(request, case), endpoint="case", methods=["GET"])
    for name in ("plan", "undo"):
        app.add_url_rule(
            f"/case/<case>/{name}",
            view_func=lambda case, name=name: pages.forms(request, case, name),
            endpoint=name,
            methods=["GET"],
        )
    app.add_url_rule(
        "/case/<case>/<verb>",
        view_func=lambda case, verb: pages.answer(request, case, verb),
        endpoint="answer",
        methods=["POST"],
    )
    return app


_FORMS = "'self'"


class _Pages:
    """The views."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seal = FormSeal(console.key)

    def listing(self, request: Request) -> Response:
        person = self._person(request)
        given, after = request.args.get("state", ""), request.args.get("after", "")
        state = CaseState(given) if given in {str(one) for one in CaseState} else None
        after = after if _is_key(after) else ""
        rows = case_rows(self._console.journal(), state, after)
        now = self._console.clock()
        return self._page(
            "list.html",
            person,
            rows=rows,
            states=[*map(str, BY_NEED)],
            state=state,
            after=after,
            now=now,
            case_id=case_id,
        )

    def case(self, request: Request, case: str) -> Response:
        person, record = self._person(request), self._record(case)
        account = account_of(record, function_url=self._console.function_url)
        now = self._console.clock()
        waits = record.plan is not None and record.plan.state is PlanState.WAITING and now < record.plan.expires_at
        return self._page(
            "case.html",
            person,
            account=account,
            facts=[*head_facts(account)],
            waits=waits,
            can_undo=bool(changes_made(record)),
            can_resume=resume_refused(record) is None,
            read=self._read(record),
            **self._form_values(person, record, Verb.RESUME, Verb.MARK_RIGHT, Verb.MARK_WRONG),
        )

    def forms(self, request: Request, case: str, name: str) -> Response:
        person, record = self._person(request), self._record(case)
        account, now = account_of(record), self._console.clock()
        plan = record.plan
        return self._page(
            f"{name}.html",
            person,
            account=account,
            plan=plan_parts.shown_plan(plan, now) if plan else None,
            lesser=plan_parts.shown_lesser(record, now),
            approved=bool(plan and plan_parts.has_approved(plan, person.name)),
            made=plan_parts.standing_lines(record),
            read=self._read(record),
            **self._form_values(person, record, Verb.APPROVE, Verb.REJECT, Verb.REHEARSE_UNDO, Verb.UNDO),
        )

    def answer(self, request: Request, case: str, verb: str) -> Response:
        person = self._person(request)
        if verb not in {str(one) for one in self._console.answers.verbs}:
            raise Forbidden(Reason.NO_SUCH_PATH)
        record, asked, now = self._record(case), Verb(verb), self._console.clock()
        sealed, plan = request.form.get("seal", ""), request.form.get("plan", "")
        refused = self._seal.refused(sealed, person, asked, record, now)
        shown = {undo_digest(record)} if asked in UNDOES else plan_parts.plan_digests(record)
        if refused is None and plan not in shown:
            refused = Reason.FORM_STALE
        if refused:
            raise Forbidden(refused)
        said = visible(request.form.get("said", ""), MAX_SAID_BYTES)
        answer = PersonsAnswer(verb=asked, finding_key=record.finding_key, plan=plan, said=said)
        try:
            heard = self._console.answers.take(answer, person)
            after = self._record(case)
            account = account_of(after)
        except (SettingsError, Forbidden, ApiError):
            raise  # nothing was handed over
        except (ResponderError, *ODD) as error:
            return self._untold(error)
        looked = made_at(sealed)
        return self._page(
            "answered.html",
            person,
            status=200 if heard.hearing in {Hearing.TAKEN, Hearing.BEGUN, Hearing.IN_PART} else 409,
            account=account,
            facts=[*head_facts(account)],
            heard=heard,
            asked=asked,
            verdict=sentences.verdict_sentence(asked, heard),
            can_undo=bool(changes_made(after)),
            looked=plan_parts.ago(looked, now) if looked else "",
            **self._form_values(person, after, Verb.UNDO),
        )

    def refused(self, reason: Reason) -> Response:
        """A page that says why nothing was done."""
        return self._refusal(sentences.refusal_status(reason), sentences.refusal_sentence(reason), reason)

    def failed(self, error: Exception) -> Response:
        """The same for an error."""
        from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge  # noqa: PLC0415

        if isinstance(error, Forbidden):
            return self.refused(error.reason)
        if isinstance(error, HTTPException):
            kinds = {MethodNotAllowed: Reason.METHOD_NOT_ALLOWED, RequestEntityTooLarge: Reason.FORM_TOO_LARGE}
            return self.refused(kinds.get(type(error), Reason.NO_SUCH_PATH))
        if isinstance(error, ODD):
            return self.refused(Reason.RECORD_UNREADABLE)
        if not isinstance(error, ResponderError):
            raise error
        reason = error.reason if isinstance(error, DeliveryError) else Reason.read(error.reason)
        told = (
            sentences.refusal_sentence(reason) if reason else f"Nothing was done: {visible(str(error), MAX_SAID_BYTES)}"
        )
        return self._refusal(404 if reason is Reason.NO_SUCH_CASE else 503, told, reason or error.reason)

    def _refusal(self, status: int, told: str, reason: str) -> Response:
        """It leads back to the case that was asked about, where there is one."""
        from flask import request  # noqa: PLC0415

        case = str((request.view_args or {}).get("case", ""))
        case = case if _is_key(case, CASE_ID_DIGITS) and reason not in sentences.LEADS_TO_NO_CASE else ""
        return self._page("refused.html", None, status=status, told=told, reason=reason, case=case)

    def _untold(self, error: Exception) -> Response:
        """A page for an answer of which nobody can say what came of it: it may be done."""
        reason = Reason.read(error.reason) if isinstance(error, ResponderError) else Reason.RECORD_UNREADABLE
        told = sentences.untold_sentence(reason.meaning if reason else visible(str(error), MAX_SAID_BYTES))
        return self._refusal(503, told, reason or "")

    def _person(self, request: Request) -> Person:
        return self._console.identity.person(_lower(request), request.cookies)

    def _record(self, case: str) -> CaseRecord:
        """The case by its id. Raises RetryableError `no_such_case`, and what reading it raises."""
        journal = self._console.journal()
        key = journal.find(case) if _is_key(case, CASE_ID_DIGITS) else None
        record = journal.read(key) if key else None
        if record is None:
            raise RetryableError(Reason.NO_SUCH_CASE, case_id(case))
        return record

    def _read(self, record: CaseRecord) -> str:
        """When the store was read for the page, and how old what it has was then."""
        now = self._console.clock()
        return (
            f"Read at {now:%H:%M:%S} UTC; the case as of {plan_parts.ago(record.updated_at or record.event_time, now)}"
        )

    def _form_values(self, person: Person, record: CaseRecord, *verbs: Verb) -> dict[str, Any]:
        """What a page needs for its forms: the tokens of those answers that can be carried."""
        now, can = self._console.clock(), self._console.answers.verbs
        seals = Seals((str(verb), self._seal.token(person, verb, record, now)) for verb in verbs if verb in can)
        digest = record.plan.digest if record.plan else ""
        return {"seals": seals, "digest": digest, "undo_digest": undo_digest(record)}

    def _page(self, template: str, person: Person | None, *, status: int = 200, **values: Any) -> Response:
        from flask import Response  # noqa: PLC0415

        text = rendered(template, forms=_FORMS, person=person, base=self._console.base_url, **values)
        return Response(text, status=status, mimetype="text/html")


def _lower(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _is_key(text: str, least: int = 0) -> bool:
    return least <= len(text) <= 64 and all(letter in "0123456789abcdef" for letter in text)
