"""Action `roll_back_service`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from scc_responder.actions import Hold, NoParams, Planned, Skip, action, without_revision
from scc_responder.domain.changes.cloud_run.shift_traffic import SHIFTS_TRAFFIC, ShiftTraffic, reaches
from scc_responder.domain.cloud_run.run_objects import RunRevision, RunService, RunTraffic
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@action(params=NoParams, makes=[SHIFTS_TRAFFIC], needs_identity=True)
def roll_back_service(context: Context, _params: NoParams) -> Planned:
    """Give all requests of the service to its newest safe revision, and none to the compromised one.

    Safe is a ready revision that is older than the compromised one and runs none of its images; where the finding names
    an image by its digest, that one counts. No tag is left on the compromised revision, since a tagged address serves
    on. Held as `no_safe_revision` where there is none, `digest_unknown` where nothing says which images run. The
    instances of the compromised revision end once they have no request, but those that its minimum keeps.
    Revisions that are deployed later get no request until the list of before is set again; a deploy between look and
    write makes the plan anew.

        then:
          - action: capture_evidence
          - action: roll_back_service
    """
    service, bad = context.service, context.revision
    if service is None or bad is None:
        return without_revision(context)
    served = tuple(_resolved(service))
    if not reaches(served, bad.name) and not reaches(service.traffic_statuses, bad.name):
        return Skip(reason=Reason.ALREADY_RETIRED)
    images = context.finding.image_digests or bad.digests
    if not images:
        return Hold(reason=Reason.DIGEST_UNKNOWN)
    safe = _newest_safe(context.revisions or (), bad, images)
    if safe is None:
        return Hold(reason=Reason.NO_SAFE_REVISION)
    kept = tuple(item for item in served if item.tag and item.revision != bad.name)
    tags = tuple(RunTraffic(revision=item.revision, tag=item.tag) for item in kept)
    return [
        ShiftTraffic(
            path=service.name.path,
            uid=service.uid,
            revision=bad.name,
            deployed=service.latest_created,
            traffic=(RunTraffic(revision=safe.name, percent=100), *tags),
            prior=service.traffic,
        )
    ]


def _resolved(service: RunService) -> Iterator[RunTraffic]:
    """The wanted traffic, the latest revision by its name."""
    for item in service.traffic:
        name = item.revision or service.latest_ready
        yield RunTraffic(revision=name, percent=item.percent, tag=item.tag)


def _newest_safe(revisions: Iterable[RunRevision], bad: RunRevision, images: frozenset[str]) -> RunRevision | None:
    safe = [item for item in revisions if _is_safe(item, bad, images)]
    return max(safe, key=lambda item: (item.create_time or _EARLIEST, item.name), default=None)


def _is_safe(revision: RunRevision, bad: RunRevision, images: frozenset[str]) -> bool:
    """Whether it runs none of these images. One whose images are not known is never safe."""
    if revision.ready is not True or revision.delete_time or not revision.create_time or not bad.create_time:
        return False
    is_older = revision.create_time < bad.create_time
    return is_older and bool(revision.digests) and not revision.digests & images
