"""The console's pages: they show what the journal has, change nothing when read, and hand over one exact answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

import scc_responder
from scc_responder.domain.errors import (
    ApiError,
    Forbidden,
    ResponderError,
    RetryableError,
    SettingsError,
    StoreUnavailable,
)
from scc_responder.domain.reasons import Reason
from scc_responder.entrypoint.console.persons_answer import Heard, Hearing, PersonsAnswer, Verb
from scc_responder.pipeline.undo.undo_record import undo_digest
from scc_responder.workbench.deployment.deployed_zip import reachable_modules
from tests.kits.account_cases import AccountCase, contained_case, waiting_case
from tests.kits.console_pages import ANNA, BASE, Browser, KeptAnswers, KnownPerson, said_by


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountCase]:
    """A plan that waits."""
    with waiting_case(tmp_path_factory.mktemp("waiting")) as case:
        yield case


@pytest.fixture(scope="module")
def contained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountCase]:
    """A pod that was contained."""
    with contained_case(tmp_path_factory.mktemp("contained")) as case:
        yield case


def browser(case: AccountCase, **parts: object) -> Browser:
    """A browser at the console of the case's deployment."""
    return Browser(case.deployment.services.journal, **parts)


def path_of(case: AccountCase) -> str:
    """The case's page."""
    return f"/case/{case.record.finding_key[:12]}"


@pytest.mark.parametrize(
    "page", ["/", "/?state=waiting", "{0}", "{0}/plan", "{0}/undo", "/nothing", "/case/0a0a0a0a0a0a"]
)
def test_every_page_is_closed_to_scripts_and_frames(waiting: AccountCase, page: str) -> None:
    """Whatever is asked for: no cache, no referrer, no frame, no script; errors too."""
    shown = browser(waiting).get(page.format(path_of(waiting)))
    headers = shown.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert re.sub(r"sha256-[^']+", "DIGEST", policy) == (
        "default-src 'none'; style-src 'DIGEST'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    assert "script" not in policy
    assert "<script" not in shown.text


def test_the_list_names_what_waits_and_leads_to_it(waiting: AccountCase) -> None:
    """From the list to the case, and from the case to its plan."""
    seen = browser(waiting)
    listed = seen.get("/").text
    assert f'href="{path_of(waiting)}"' in listed
    assert 'class="needs"' in listed
    assert "There is no such case" in seen.get("/?state=done").text
    assert f'href="{path_of(waiting)}/plan"' in seen.get(path_of(waiting)).text


def everything_kept(case: AccountCase) -> dict[str, str]:
    """The version of each document in the store, whatever it is about."""
    page = case.deployment.services.store.scan("", limit=1_000)
    assert page.cursor is None
    return {entry.key: str(entry.version) for entry in page.entries}


def test_reading_changes_nothing(waiting: AccountCase) -> None:
    """GET and HEAD of every page, as link previews send them, leave the store as it is."""
    before = everything_kept(waiting)
    seen = browser(waiting)
    for page in (
        "/",
        "/?state=waiting&after=0a",
        path_of(waiting),
        f"{path_of(waiting)}/plan",
        f"{path_of(waiting)}/undo",
    ):
        for verb in ("get", "head"):
            assert getattr(seen.client, verb)(page, base_url=BASE).status_code == 200
    for verb in frozenset(Verb) - {Verb.UNDO}:  # that is a page, too
        assert seen.get(f"{path_of(waiting)}/{verb}").status_code == 405
    assert everything_kept(waiting) == before
    assert seen.answers.given == []


def test_an_approval_is_handed_over_as_it_was_shown(waiting: AccountCase) -> None:
    """With the case, the plan's whole digest, the person's words, and what proves who it is."""
    seen = browser(waiting)
    answered = seen.click(f"{path_of(waiting)}/plan", "approve", said="INC-1")
    assert answered.status_code == 200
    assert said_by(answered).startswith("Approved.")
    plan = waiting.record.plan
    assert plan is not None
    expected = PersonsAnswer(verb=Verb.APPROVE, finding_key=waiting.record.finding_key, plan=plan.digest, said="INC-1")
    assert seen.answers.given == [(expected, ANNA)]
    assert "read again at your click" in answered.text


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"seal": ""}, Reason.FORM_FORGED),
        ({"seal": "1.2.3"}, Reason.FORM_FORGED),
        ({"plan": "ab" * 32}, Reason.FORM_STALE),
        ({"plan": ""}, Reason.FORM_STALE),
    ],
)
def test_a_form_that_was_changed_is_refused(waiting: AccountCase, changed: dict[str, str], reason: Reason) -> None:
    """Token and digest have to be those that the page had."""
    seen, path = browser(waiting), f"{path_of(waiting)}/approve"
    fields = seen.forms(f"{path_of(waiting)}/plan")[path]
    refused = seen.send(path, {**fields, **changed})
    assert (refused.status_code, seen.answers.given) == (409 if reason is Reason.FORM_STALE else 403, [])
    assert str(reason) in refused.text
    assert f'href="{path_of(waiting)}"' in refused.text


def test_a_refusal_names_no_case_that_it_does_not_know(waiting: AccountCase) -> None:
    """The way back is the case that was asked about; of what is no case there is none."""
    for path in ("/case/000000000000/plan", "/case/<b>/plan", "/nothing"):
        assert "Read the case again" not in browser(waiting).get(path).text


def test_another_site_and_another_name_are_refused(waiting: AccountCase) -> None:
    """A form of another origin, and a host that was rebound to this machine, with a sentence each."""
    seen, path = browser(waiting), f"{path_of(waiting)}/approve"
    fields = seen.forms(f"{path_of(waiting)}/plan")[path]
    foreign = seen.send(path, fields, Origin="https://evil.example", **{"Sec-Fetch-Site": "cross-site"})
    assert (foreign.status_code, "was not sent by a page of the console" in foreign.text) == (403, True)
    rebound = seen.client.get("/", base_url="http://evil.example")
    assert (rebound.status_code, "not the console&#39;s address" in rebound.text) == (421, True)
    assert "evil.example" not in rebound.text
    assert seen.answers.given == []


def test_another_persons_form_is_refused(waiting: AccountCase) -> None:
    """The token is for the person that the page was shown to."""
    seen, path = browser(waiting), f"{path_of(waiting)}/approve"
    fields = seen.forms(f"{path_of(waiting)}/plan")[path]
    seen.identity.someone = replace(ANNA, name="ben@example.com")
    assert seen.send(path, fields).status_code == 403
    assert seen.answers.given == []


def test_nobody_unknown_sees_anything(waiting: AccountCase) -> None:
    """Without a person there is neither list nor case, and no form is taken."""

    class NobodyKnown(KnownPerson):
        def person(self, headers: object, cookies: object) -> object:
            raise Forbidden(Reason.NOT_SIGNED_IN)

    seen = browser(waiting, identity=NobodyKnown())
    for page in ("/", path_of(waiting), f"{path_of(waiting)}/plan"):
        shown = seen.get(page)
        assert shown.status_code == 403
        assert waiting.record.category not in shown.text
    assert seen.send(f"{path_of(waiting)}/approve", {}).status_code == 403
    assert seen.answers.given == []


def test_what_cannot_be_carried_has_no_form(waiting: AccountCase) -> None:
    """A console that may only read shows the commands to type."""
    seen = browser(waiting, answers=KeptAnswers(frozenset()))
    for page in ("", "/plan", "/undo"):
        assert seen.forms(f"{path_of(waiting)}{page}") == {}
    assert "you can only read" in seen.get(f"{path_of(waiting)}/plan").text
    assert "scc-responder case approve" in seen.get(path_of(waiting)).text


def test_a_form_for_what_cannot_be_carried_is_refused(waiting: AccountCase) -> None:
    """Also where somebody has a token for it."""
    path = f"{path_of(waiting)}/approve"
    fields = browser(waiting).forms(f"{path_of(waiting)}/plan")[path]
    seen = browser(waiting, answers=KeptAnswers(frozenset({Verb.REJECT})))
    assert seen.send(path, fields).status_code == 404
    assert seen.answers.given == []


def test_a_long_form_is_refused(waiting: AccountCase) -> None:
    """More than 16 KiB is not read."""
    seen, path = browser(waiting), f"{path_of(waiting)}/reject"
    fields = seen.forms(f"{path_of(waiting)}/plan")[path]
    refused = seen.send(path, {**fields, "said": "a" * 20_000})
    assert (refused.status_code, "Write less" in refused.text) == (413, True)


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (StoreUnavailable(Reason.STORE_UNAVAILABLE), 503, "Nobody can tell whether it was taken: the store"),
        (ResponderError("no_answer", "https://example.com did not answer"), 503, "Nobody can tell"),
        (ResponderError("no_answer", "https://example.com did not answer"), 503, "did not answer"),
        (RetryableError(Reason.CASE_CONTENDED), 503, "Nobody can tell whether it was taken: other writers"),
        (KeyError("x"), 503, "Nobody can tell whether it was taken"),
        (ApiError(Reason.TIMEOUT), 503, "Nothing was done"),
        (SettingsError("no_token", "no token"), 503, "Nothing was done"),
    ],
)
def test_what_goes_wrong_is_a_sentence(waiting: AccountCase, error: Exception, status: int, sentence: str) -> None:
    """Never a trace, never an empty page, and never that nothing was done where nobody knows."""

    class FailingAnswers(KeptAnswers):
        def take(self, answer: object, person: object) -> Heard:
            raise error

    seen = browser(waiting, answers=FailingAnswers())
    shown = seen.click(f"{path_of(waiting)}/plan", "approve")
    assert shown.status_code == status
    assert sentence in shown.text
    assert ("Nothing was done" in shown.text) == sentence.startswith("Nothing")
    assert "Traceback" not in shown.text


def test_an_answer_after_which_the_case_cannot_be_read_is_not_said_to_be_nothing(waiting: AccountCase) -> None:
    """It was taken; what came of it could not be read back."""
    seen = browser(waiting)
    journal = waiting.deployment.services.journal

    class GoneStore:
        def __getattr__(self, name: str) -> object:
            if seen.answers.given:
                raise StoreUnavailable(Reason.STORE_UNAVAILABLE)
            return getattr(journal, name)

    seen = Browser(GoneStore())  # type: ignore[arg-type]
    shown = seen.click(f"{path_of(waiting)}/plan", "approve")
    assert (len(seen.answers.given), shown.status_code) == (1, 503)
    assert "Nobody can tell whether it was taken" in shown.text
    assert "Nothing was done" not in shown.text


def test_a_refusal_of_who_decides_is_told(waiting: AccountCase) -> None:
    """In a sentence, with its word."""
    seen = browser(waiting)
    seen.answers.heard = Heard(hearing=Hearing.REFUSED, reason=Reason.APPROVER_NOT_LISTED)
    shown = seen.click(f"{path_of(waiting)}/plan", "approve")
    assert shown.status_code == 409
    assert "do not list who asks" in said_by(shown)


def test_a_contained_case_can_be_marked_and_taken_back(contained: AccountCase) -> None:
    """Its page has the answers that fit: no plan waits there."""
    seen, path = browser(contained), path_of(contained)
    assert set(seen.forms(path)) == {f"{path}/mark_right", f"{path}/mark_wrong"}
    assert set(seen.forms(f"{path}/undo")) == {f"{path}/rehearse_undo", f"{path}/undo"}
    assert f'href="{path}/plan"' not in seen.get(path).text
    for page, verb in ((path, "mark_wrong"), (f"{path}/undo", "undo"), (f"{path}/undo", "rehearse_undo")):
        assert seen.click(page, verb, said="a load test").status_code == 200
    assert [answer.verb for answer, _ in seen.answers.given] == [Verb.MARK_WRONG, Verb.UNDO, Verb.REHEARSE_UNDO]


def test_an_undo_is_of_what_is_shown(contained: AccountCase) -> None:
    """The page names each thing that stands, with a digest of all, which is what is handed over; the plan's is none."""
    seen, path = browser(contained), path_of(contained)
    page, digest = seen.get(f"{path}/undo").text, undo_digest(contained.record)
    assert digest in page
    assert "cordon_node: Node gke-prod-1" in page
    assert re.search(r"the case as of \d+ (?:s|min) ago", page)
    seen.click(f"{path}/undo", "undo", said="a load test")
    assert seen.answers.given[-1][0].plan == digest
    fields = seen.forms(f"{path}/undo")[f"{path}/undo"]
    for wrong in ("", "f" * 64, "0" * 63):
        refused = seen.send(f"{path}/undo", {**fields, "plan": wrong})
        assert (refused.status_code, "form_stale" in refused.text) == (409, True)
    assert len(seen.answers.given) == 1


def test_what_was_not_put_back_is_said(contained: AccountCase) -> None:
    """An undo that could be done in part, and one that found nothing, are no success."""
    seen, path = browser(contained), path_of(contained)
    seen.answers.heard = Heard(hearing=Hearing.IN_PART, reason="undo_refused", lines=("cordon_node: held",))
    part = seen.click(f"{path}/undo", "undo", said="x")
    assert (part.status_code, said_by(part)) == (200, "Done in part. Below is what stands, and why.")
    assert "cordon_node: held" in part.text


@pytest.mark.parametrize("case", ["0a0a", "../../etc", "%2e%2e", "0A0A0A0A0A0A", "0a" * 33, "f8e70f68f09 "])
def test_a_name_that_is_no_case_is_not_found(waiting: AccountCase, tmp_path: Path, case: str) -> None:
    """Also the first digits of one, and what looks like a path."""
    assert browser(waiting).get(f"/case/{case}").status_code == 404


def test_the_function_imports_nothing_of_the_console() -> None:
    """Nor can it come to: what is deployed as the function is no larger for it."""
    package = Path(scc_responder.__file__).parent
    found = reachable_modules(package / "entrypoint" / "http_edge.py", package.parent)
    names = {path.relative_to(package).as_posix() for path in found}
    assert "pipeline/delivery.py" in names
    assert [name for name in names if "console" in name] == []
