"""What came of an answer, and why a request is refused, as a sentence that says what to do next."""

from __future__ import annotations

from scc_responder.domain.reasons import Reason
from scc_responder.entrypoint.console.persons_answer import Heard, Hearing, Verb

ASKED = {
    Verb.APPROVE: "approve this plan",
    Verb.REJECT: "reject this plan",
    Verb.REHEARSE_UNDO: "say what can be taken back",
    Verb.UNDO: "take this case back",
    Verb.RESUME: "try this case again",
    Verb.MARK_RIGHT: "mark what was done as right",
    Verb.MARK_WRONG: "mark what was done as wrong",
}
"""Each answer as an infinitive."""
_TAKEN = {
    Verb.APPROVE: "Approved. Below is what came of it, as it was read back.",
    Verb.REJECT: "Rejected. Nothing of the plan is done.",
    Verb.REHEARSE_UNDO: "Nothing was changed. This is what would be taken back.",
    Verb.UNDO: "Taken back. Below is what was read back.",
    Verb.RESUME: "Tried again. Below is what came of it, as it was read back.",
    Verb.MARK_RIGHT: "Marked as right.",
    Verb.MARK_WRONG: "Marked as wrong.",
}
_NOTED = {
    Reason.APPROVAL_NOTED: "Your approval is noted. Nothing is done until more people approve.",
    Reason.MODE_LOWERED_BY: "Your approval is taken. The kill switch keeps it from being done: when it is raised, the "
    "sweep goes on with it.",
    Reason.RESUMED_BY_PERSON: "Open again. Its cluster is busy: the next sweep tries it, in 5 minutes at most.",
    Reason.ALREADY_APPROVED: "You approved this plan before. Another listed person has to approve it now.",
}
_REFUSED = {
    Reason.FOREIGN_HOST: "This is not the console's address. Open the address that was printed or set for it.",
    Reason.FOREIGN_ORIGIN: "This form was not sent by a page of the console. Nothing was done. Open the case there.",
    Reason.NOT_A_FORM: "No form of the console sends this. Nothing was done.",
    Reason.FORM_TOO_LARGE: "That is more text than a form takes. Nothing was done. Write less.",
    Reason.FORM_FORGED: "The console did not make this form for you in this browser. Nothing was done. Open the case "
    "again: the console may have been restarted.",
    Reason.FORM_TOO_OLD: "You looked at this form for longer than 15 minutes. Nothing was done. Read the case again.",
    Reason.FORM_STALE: "The case changed since this form was made, or the form was sent before. This click did "
    "nothing. Read the case again.",
    Reason.NOT_SIGNED_IN: "The console does not know who you are. Open the address that was printed or set for it.",
    Reason.METHOD_NOT_ALLOWED: "The console takes no such request. Nothing was done.",
    Reason.NO_SUCH_PATH: "The console has no such page.",
    Reason.NO_SUCH_CASE: "There is no such case. Give all 12 digits of its id.",
    Reason.STORE_UNAVAILABLE: "The store does not answer. Nothing was done. Try again in a minute.",
}


LEADS_TO_NO_CASE = {Reason.NO_SUCH_CASE, Reason.NO_SUCH_PATH, Reason.NOT_SIGNED_IN, Reason.FOREIGN_HOST}
"""Refusals after which the case that was asked about is not there, or nobody may see it."""
_STATUS = {Reason.NO_SUCH_CASE: 404, Reason.NO_SUCH_PATH: 404, Reason.METHOD_NOT_ALLOWED: 405}
_STATUS |= {Reason.FOREIGN_HOST: 421, Reason.FORM_TOO_LARGE: 413, Reason.FORM_STALE: 409, Reason.FORM_TOO_OLD: 409}
_STATUS |= {Reason.RECORD_UNREADABLE: 500}


def refusal_status(reason: Reason) -> int:
    """The status of HTTP that says the same."""
    return _STATUS.get(reason, 403)


def refusal_sentence(reason: Reason) -> str:
    """Why a request did nothing, and what to do."""
    return _REFUSED.get(reason) or f"Nothing was done: {reason.meaning}."


def untold_sentence(why: str) -> str:
    """It is not known what came of an answer: no answer came back, or the case could not be read after it."""
    return f"Nobody can tell whether it was taken{f': {why}' if why else ''}. Read the case before you answer again."


def verdict_sentence(verb: Verb, heard: Heard) -> str:
    """What came of an answer."""
    reason = Reason.read(heard.reason)
    if reason and reason.word in _NOTED:
        return _NOTED[reason.word]
    match heard.hearing:
        case Hearing.TAKEN:
            return _TAKEN[verb]
        case Hearing.BEGUN:
            return "Taken and begun, and not finished. The sweep goes on with it: look at the case again in a minute."
        case Hearing.IN_PART:
            return "Done in part. Below is what stands, and why."
        case Hearing.REFUSED:
            return refusal_sentence(reason) if reason else f"Refused: nobody lets you {ASKED[verb]} now."
        case Hearing.UNKNOWN:
            return untold_sentence(reason.meaning if reason else "")
