"""What a person can do about what was left undone, by the reason for which it was: what to do first, and a command.

Messages, `case show` and the reference for on-call have their commands from here.
"""

from __future__ import annotations

from collections.abc import Mapping

from scc_responder.domain.reasons import Reason
from scc_responder.domain.reasons.words import Word
from scc_responder.domain.text import LatePattern

_CASE = LatePattern(r"[0-9a-f]{12}")
_SHOWN = {"case": "CASE", "action": "STEP", "policy": "NAME", "place": "--cluster PATH", "store": "STORE"}


class Remedy(Word):
    """A command that gets on with a case, and what to do before it.

    >>> Remedy.DO.typed(case="0123456789ab", action="delete_pod")
    "scc-responder case do 0123456789ab delete_pod --reason 'WHY'"
    """

    RESUME = "scc-responder case resume {case} --apply", "mend what the reason names, or change the rule"
    RESUME_POLICY = "scc-responder case resume --policy {policy} --since 24h --apply", "find out why so much is held"
    DO = "scc-responder case do {case} {action} --reason 'WHY'", "find out whether the attack is real, and goes on"
    CHOOSE = "scc-responder case resume {case} --revision NAME", "find out which revision is meant"
    ANSWER = "scc-responder case show {case}", "read the plan: it is shown with the commands that answer it"
    RESET = (
        "scc-responder breaker reset {place} --reason 'WHY' --store {store}",
        "find out why so much was to be disrupted at once",
    )
    LET_ACT = (
        "scc-responder control clear --policy {policy} {place} --reason 'WHY' --store {store}",
        "read the policy, and what it did or was about to do; mend it",
    )
    ENFORCE = "scc-responder control set enforce --reason 'WHY' --store {store}", "say how far the responder may go"
    UNPAUSE = "kubectl annotate namespace default scc-responder/mode-", "ask who paused the cluster, and why"
    WHO_LOWERED = "scc-responder control show", "end what was lowered, if its time is over"
    END_EXEMPTION = (
        "scc-responder control clear --exemption {detail} --reason 'WHY' --store {store}",
        "find out whether it is an attack after all",
    )
    BY_HAND = "scc-responder case show {case} --format json", "no command gets on with it: respond by hand"

    def typed(self, **names: str) -> str:
        """The command about what is named; a name that is not given stands as a word to be replaced."""
        return self.format(**{**_SHOWN, "detail": "CASE", **names})

    def sentence(self, **names: str) -> str:
        """What to do first, and then the command."""
        return f"{self.meaning}, then: {self.typed(**names)}"


REMEDIES: Mapping[Reason, tuple[Remedy, ...]] = {
    Reason.LIMIT: (Remedy.DO,),
    Reason.FINDING_TOO_OLD: (Remedy.DO,),
    Reason.STORM_BREAKER: (Remedy.RESET, Remedy.RESUME),
    Reason.FIRST_SHOT_TOO_WIDE: (Remedy.LET_ACT, Remedy.RESUME),
    Reason.ERROR_BUDGET_SPENT: (Remedy.LET_ACT,),
    Reason.HELD_TOO_MANY: (Remedy.RESUME_POLICY,),
    Reason.MODE_LOWERED_BY: (Remedy.WHO_LOWERED, Remedy.RESUME),
    Reason.EXEMPT: (Remedy.END_EXEMPTION, Remedy.RESUME),
    Reason.CONTROL_DISABLED: (Remedy.ENFORCE,),
    Reason.CONTROL_MISSING: (Remedy.ENFORCE, Remedy.RESUME),
    Reason.CONTROL_UNUSABLE: (Remedy.ENFORCE, Remedy.RESUME),
    Reason.CLUSTER_PAUSED: (Remedy.UNPAUSE,),
    Reason.WAITING_FOR_APPROVAL: (Remedy.ANSWER,),
    Reason.NEEDS: (),
    Reason.EARLIER_STEP_STOPPED: (),
    **dict.fromkeys((Reason.SEVERAL_REVISIONS, Reason.REVISION_GONE, Reason.REVISION_NOT_KNOWN), (Remedy.CHOOSE,)),
    **dict.fromkeys((reason for reason in Reason if reason.is_beyond_reach), (Remedy.RESUME,)),
    **dict.fromkeys((Reason.CLUSTER_NOT_ONBOARDED, Reason.CLUSTER_ACCESS_LOST), (Remedy.RESUME,)),
    **dict.fromkeys((Reason.FOUGHT_OVER, Reason.APPROVAL_EXPIRED), (Remedy.RESUME,)),
}
"""Where an action needs another, or a step comes after another, that one says what to do."""


def remedies(text: str) -> tuple[Remedy, ...]:
    """What to do about a reason, in its order: most are mended where they arose, and then the case is tried again."""
    reason = Reason.read(text)
    if reason is None:
        return (Remedy.RESUME,)
    if reason.is_by_hand:
        return (Remedy.BY_HAND,)
    found = REMEDIES.get(reason.word, (Remedy.RESUME,))
    is_persons = reason.word is not Reason.EXEMPT or _CASE.fullmatch(reason.detail)
    return found if is_persons else (Remedy.RESUME,)


def place_option(place: str) -> str:
    """The option that names a cluster by its path, `projects/P` of Cloud Run, or an environment of the guardrails.

    >>> place_option("projects/example-project")
    '--project example-project'
    """
    if place.startswith("environments/"):
        return f"--environment {place.removeprefix('environments/')}"
    project = place.removeprefix("projects/")
    return f"--cluster {place}" if "/" in project else f"--project {project}"
