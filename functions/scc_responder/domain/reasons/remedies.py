"""What a person can do now about a step that is held: one command."""

from __future__ import annotations

from collections.abc import Mapping

from scc_responder.domain.reasons import Reason

_COMMANDS: Mapping[Reason, str] = {
    Reason.LIMIT: "scc-responder case do {case} {action} --reason 'WHY'",
    Reason.FINDING_TOO_OLD: "scc-responder case do {case} {action} --reason 'WHY'",
    Reason.STORM_BREAKER: "scc-responder breaker reset --cluster {cluster} --reason 'WHY' --store STORE",
    Reason.CLUSTER_PAUSED: "kubectl annotate namespace default scc-responder/mode-",
    Reason.CONTROL_DISABLED: "scc-responder control set enforce --reason 'WHY'",
}


def remedy(reason: str, case: str, action: str, cluster: str) -> str:
    """The command that gets on with an action that is held for this reason.

    Where no other does: the one that says what would be done, if the case was tried again.
    """
    known = Reason.read(reason)
    command = _COMMANDS.get(known.word, "") if known else ""
    return (command or "scc-responder case resume {case}").format(case=case, action=action, cluster=cluster)
