"""Action `remove_invokers`."""

from __future__ import annotations

from scc_responder.actions import Hold, NoParams, Planned, Skip, action, without_revision
from scc_responder.domain.changes import Change
from scc_responder.domain.changes.cloud_run.restrict_access import RESTRICTS_ACCESS, AccessSettings, RestrictAccess
from scc_responder.domain.changes.cloud_run.set_invokers import SETS_INVOKERS, SetInvokers, anyone_in
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason


@action(
    params=NoParams,
    makes=[SETS_INVOKERS, RESTRICTS_ACCESS],
    needs_identity=True,
    against=Countermeasure.USER_ACCOUNT_PERMISSIONS,
)
def remove_invokers(context: Context, _params: NoParams) -> Planned:
    """Let nobody invoke the service who is not named: `allUsers` and `allAuthenticatedUsers` leave its IAM policy.

    Where the service asks IAM nothing at all (`invoker_iam_disabled`), it does again. Whoever is named stays. IAM has
    no rehearsal: `dry_run` asks whether the permission is there, and says `not_rehearsed`.

        then:
          - action: capture_evidence
          - action: remove_invokers
    """
    service, policy = context.service, context.iam_policy
    if service is None:
        return without_revision(context)
    if policy is None:
        return Hold(reason=Reason.IAM_POLICY_UNREAD)
    changes: list[Change] = []
    if service.invoker_iam_disabled:
        wanted, prior = AccessSettings(invoker_iam_disabled=False), AccessSettings(invoker_iam_disabled=True)
        changes.append(RestrictAccess(path=service.name.path, uid=service.uid, wanted=wanted, prior=prior))
    members = anyone_in(policy)
    if members:
        changes.append(SetInvokers(path=service.name.path, uid=service.uid, members=members))
    return changes or Skip(reason=Reason.NO_PUBLIC_INVOKERS)
