"""Action `cut_ingress`."""

from __future__ import annotations

from scc_responder.actions import Allowance, Params, Planned, Skip, action, without_revision
from scc_responder.domain.changes.cloud_run.restrict_access import RESTRICTS_ACCESS, AccessSettings, RestrictAccess
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason

_INTERNAL = "INGRESS_TRAFFIC_INTERNAL_ONLY"
_CLOSED = {_INTERNAL, "INGRESS_TRAFFIC_NONE"}


class CutIngressParams(Params, frozen=True, kw_only=True):
    """`close_default_url` closes the address that ends with `run.app` too, which internal callers use as well."""

    close_default_url: Allowance = False


@action(
    params=CutIngressParams,
    makes=[RESTRICTS_ACCESS],
    needs_identity=True,
    against=Countermeasure.INBOUND_TRAFFIC_FILTERING,
)
def cut_ingress(context: Context, params: CutIngressParams) -> Planned:
    """Let the service be reached from its own networks alone.

    It is the whole service: callers of good revisions are refused too. It stops nothing that the service calls itself.

        then:
          - action: capture_evidence
          - action: cut_ingress
            with:
              close_default_url: true
    """
    service = context.service
    if service is None:
        return without_revision(context)
    wanted = AccessSettings(
        ingress=None if service.ingress in _CLOSED else _INTERNAL,
        default_uri_disabled=True if params.close_default_url and not service.default_uri_disabled else None,
    )
    if not wanted.given:
        return Skip(reason=Reason.ALREADY_INTERNAL)
    prior = AccessSettings(**{name: getattr(service, name) for name in wanted.given})
    return [RestrictAccess(path=service.name.path, uid=service.uid, wanted=wanted, prior=prior)]
