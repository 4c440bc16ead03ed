"""Action `roll_back_service`."""

from __future__ import annotations

from datetime import UTC, datetime

from scc_responder.actions import Hold, NoParams, Planned, Skip, action, without_revision
from scc_responder.domain.changes.cloud_run.shift_traffic import SHIFTS_TRAFFIC, ShiftTraffic, resolved_traffic
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.cloud_run.run_objects import RunRevision
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@action(params=NoParams, makes=[SHIFTS_TRAFFIC], needs_identity=True, against=Countermeasure.RESTORE_SOFTWARE)
def roll_back_service(context: Context, _params: NoParams) -> Planned:
    """Give all requests of the service to its newest safe revision, and none to the compromised one.

    Safe is a ready revision that is older than the compromised one and runs none of its images; where the finding names
    an image by its digest, that one counts. A revision that was deployed with the same images again gets no request
    either, and no tag is left on any of them, since a tagged address serves on. Held as `no_safe_revision` where there
    is none, `digest_unknown` where nothing says which images run. The instances of the compromised revision end once
    they have no request, but those that its minimum keeps.
    Revisions that are deployed later get no request until the list of before is set again; a deploy between look and
    write makes the plan anew.

        then:
          - action: capture_evidence
          - action: roll_back_service
    """
    service, bad = context.service, context.revision
    if service is None or bad is None:
        return without_revision(context)
    images = context.finding.image_digests or bad.digests
    if not images:
        return Hold(reason=Reason.DIGEST_UNKNOWN)
    revisions = context.revisions or ()
    traffic = (*resolved_traffic(service), *service.traffic_statuses)
    served = {item.revision for item in traffic if item.percent or item.tag}
    named = context.finding.image_digests
    retired = [item.name for item in revisions if item.name in served and _is_bad(item, bad, named)]
    if not retired:
        unknown = any(item.name in served and not item.digests for item in revisions)
        return Hold(reason=Reason.DIGEST_UNKNOWN) if unknown else Skip(reason=Reason.ALREADY_RETIRED)
    older = [item for item in revisions if _may_serve(item, bad)]
    safe = max((item for item in older if item.digests and not item.digests & images), key=_age, default=None)
    if safe is None:
        unknown = any(not item.digests for item in older)
        return Hold(reason=Reason.DIGEST_UNKNOWN if unknown else Reason.NO_SAFE_REVISION)
    return [
        ShiftTraffic(
            path=service.name.path,
            uid=service.uid,
            to=safe.name,
            prior=service.traffic,
            retired=tuple(sorted({bad.name, *retired})),
            deployed=service.latest_created,
            ready=service.latest_ready,
        )
    ]


def _is_bad(revision: RunRevision, bad: RunRevision, named: frozenset[str]) -> bool:
    """Whether it is the compromised revision, or runs an image that the finding names, or else all of its images."""
    if revision.name == bad.name:
        return True
    return bool(revision.digests & named) if named else bool(bad.digests) and bad.digests <= revision.digests


def _may_serve(revision: RunRevision, bad: RunRevision) -> bool:
    """Whether it was there before the compromised one, and can serve."""
    if revision.ready is not True or revision.delete_time or not revision.create_time or not bad.create_time:
        return False
    return revision.create_time < bad.create_time


def _age(revision: RunRevision) -> tuple[datetime, str]:
    return revision.create_time or _EARLIEST, revision.name
