"""Answers that are decided on this machine: by the code of the function and of the commands, once each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scc_responder.cli.console.desk_answers import DeskAnswers, ReadOnly
from scc_responder.domain.errors import ResponderError, StoreUnavailable
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.entrypoint.console.persons_answer import Hearing, Person, PersonsAnswer, Verb
from scc_responder.entrypoint.console.plan_parts import shown_lesser
from scc_responder.journal.case import CaseRecord
from scc_responder.pipeline.later import ended_plan
from tests.kits.console_pages import Browser, said_by
from tests.kits.desk_console import desk_answers, waiting_pod

ANNA = Person(name="anna", session="one")


class Desk:
    """A deployment whose plan waits, and who decides on its machine."""

    def __init__(self, folder: Path, *steps: str) -> None:
        self._opened = waiting_pod(folder, *steps)
        self.deployment, self.document, self.cluster = self._opened.__enter__()
        self.answers: DeskAnswers = desk_answers(self.deployment, self.cluster)
        self.browser = Browser(self.deployment.services.journal, answers=self.answers)

    def close(self) -> None:
        self._opened.__exit__(None, None, None)

    @property
    def record(self) -> CaseRecord:
        return self.deployment.case(self.document)

    @property
    def path(self) -> str:
        return f"/case/{self.record.finding_key[:12]}"

    def take(self, verb: Verb, said: str = "", plan: str | None = None) -> tuple[Hearing, str]:
        digest = self.record.plan.digest if self.record.plan else ""
        given = digest if plan is None else plan
        answer = PersonsAnswer(verb=verb, finding_key=self.record.finding_key, plan=given, said=said)
        heard = self.answers.take(answer, ANNA)
        return heard.hearing, heard.reason

    @property
    def isolations(self) -> int:
        return len(self.cluster.objects("NetworkPolicy", "shop"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A plan to isolate a pod waits."""
    made = Desk(tmp_path)
    yield made
    made.close()


def test_a_double_click_is_carried_out_once(desk: Desk) -> None:
    """The second of two same forms says that the case changed, and sends nothing to the cluster."""
    path = f"{desk.path}/approve"
    fields = desk.browser.forms(f"{desk.path}/plan")[path]
    first = desk.browser.send(path, fields)
    writes = len(desk.cluster.audit)
    second = desk.browser.send(path, fields)
    assert said_by(first).startswith("Approved.")
    assert (second.status_code, "the form was sent before" in said_by(second)) == (409, True)
    assert (desk.isolations, len(desk.cluster.audit)) == (1, writes)


def test_a_plan_is_used_once_also_without_the_form(desk: Desk) -> None:
    """Who decides refuses by itself: another digest, and the same plan again."""
    assert desk.take(Verb.APPROVE, plan="ab" * 32) == (Hearing.REFUSED, Reason.PLAN_DIGEST_DIFFERS)
    assert desk.isolations == 0
    assert desk.take(Verb.APPROVE)[0] is Hearing.TAKEN
    assert desk.take(Verb.APPROVE) == (Hearing.REFUSED, Reason.APPROVAL_USED)
    assert desk.isolations == 1


def test_a_rejected_plan_does_nothing(desk: Desk) -> None:
    """The case keeps why; then nothing waits any more."""
    assert desk.take(Verb.REJECT, said="a load test") == (Hearing.TAKEN, Reason.APPROVAL_REJECTED)
    assert desk.record.plan is not None
    assert desk.record.plan.said == "a load test"
    assert desk.take(Verb.APPROVE)[0] is Hearing.REFUSED
    assert desk.isolations == 0


def test_what_fails_after_an_answer_is_written_is_not_told_as_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is gone once the rejection is in it: nobody says that nothing was done."""

    def gone(*_given: object) -> None:
        raise StoreUnavailable(Reason.STORE_UNAVAILABLE)

    monkeypatch.setattr(ended_plan, "note_unwatched", gone)
    assert desk.take(Verb.REJECT, said="a load test") == (Hearing.UNKNOWN, Reason.STORE_UNAVAILABLE)
    assert desk.record.plan is not None
    assert desk.record.plan.said == "a load test"


def test_an_undo_is_rehearsed_then_done_once(desk: Desk) -> None:
    """The rehearsal leaves the isolation; the undo takes it away; a second one finds nothing."""
    assert desk.take(Verb.UNDO) == (Hearing.REFUSED, Reason.NOTHING_TO_UNDO)
    desk.take(Verb.APPROVE)
    assert (desk.take(Verb.REHEARSE_UNDO)[0], desk.isolations) == (Hearing.TAKEN, 1)
    assert (desk.take(Verb.UNDO, said="a load test")[0], desk.isolations) == (Hearing.TAKEN, 0)
    word = desk.record.word
    assert word is not None
    assert (word.by, word.said) == ("anna", "a load test")
    assert desk.take(Verb.UNDO)[0] is Hearing.REFUSED


def test_a_case_is_tried_again_at_once(desk: Desk) -> None:
    """Everything is read and decided anew: here its plan waits again."""
    assert desk.take(Verb.RESUME) == (Hearing.REFUSED, Reason.WAITING_FOR_APPROVAL)
    desk.take(Verb.REJECT, said="not now")
    assert desk.take(Verb.RESUME) == (Hearing.TAKEN, Reason.WAITING_FOR_APPROVAL)
    assert desk.record.state is CaseState.WAITING
    assert desk.take(Verb.RESUME) == (Hearing.REFUSED, Reason.WAITING_FOR_APPROVAL)
    assert desk.isolations == 0


def test_a_mark_is_kept_and_the_last_one_counts(desk: Desk) -> None:
    """With the person's name and words."""
    desk.take(Verb.APPROVE)
    assert desk.take(Verb.MARK_WRONG, said="a backup job") == (Hearing.TAKEN, Reason.MARKED)
    assert desk.take(Verb.MARK_RIGHT) == (Hearing.TAKEN, Reason.MARKED)
    mark = desk.record.mark
    assert mark is not None
    assert (mark.is_wrong, mark.by) == (False, "anna")


def test_a_console_that_only_shows_takes_nothing() -> None:
    """It has no form, and refuses what comes all the same."""
    assert ReadOnly().verbs == frozenset()
    with pytest.raises(ResponderError):
        ReadOnly().take(PersonsAnswer(verb=Verb.APPROVE, finding_key="0a" * 32), ANNA)


@pytest.fixture
def grave(tmp_path: Path) -> Iterator[Desk]:
    """A plan to isolate a pod, and then to delete it, waits."""
    made = Desk(tmp_path, "label_pod", "isolate_pod", "capture_evidence", "delete_pod")
    yield made
    made.close()


def test_the_lesser_plan_does_nothing_that_cannot_be_undone(grave: Desk) -> None:
    """Its form stands beside the whole one's: the pod is isolated, and not deleted; all of it can be taken back."""
    page = grave.browser.get(f"{grave.path}/plan").text
    assert "label_pod, isolate_pod, without delete_pod" in page
    lesser = shown_lesser(grave.record, grave.deployment.services.clock())
    assert lesser is not None
    seal = re.findall(r'id="lesser".*?name="seal" value="([^"]+)"', page, re.DOTALL)[0]
    answered = grave.browser.send(f"{grave.path}/approve", {"seal": seal, "plan": lesser.digest})
    assert said_by(answered).startswith("Approved.")
    outcomes = {step.action: step.reason for step in grave.record.current_steps}
    assert outcomes["delete_pod"] == Reason.LESSER_APPROVED
    assert grave.isolations == 1
    uid = grave.record.decision["pod"]["uid"]
    assert [pod for pod in grave.cluster.objects("Pod", "shop") if pod["metadata"]["uid"] == uid]
    assert grave.take(Verb.APPROVE)[0] is Hearing.REFUSED
    assert grave.take(Verb.UNDO, said="a load test")[0] is Hearing.TAKEN
    assert grave.isolations == 0
