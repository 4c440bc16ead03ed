"""Action `restart_service`."""

from __future__ import annotations

from scc_responder.actions import Hold, NoParams, Planned, Skip, action, without_revision
from scc_responder.domain.changes.cloud_run.restart_service import (
    LONGEST_REVISION_NAME,
    RESTARTS_SERVICE,
    RestartService,
    own_revision,
)
from scc_responder.domain.changes.cloud_run.shift_traffic import reaches
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.cloud_run.run_objects import RunContainer, RunRevision, RunService
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason


@action(params=NoParams, makes=[RESTARTS_SERVICE], needs_identity=True, against=Countermeasure.PROCESS_TERMINATION)
def restart_service(context: Context, _params: NoParams) -> Planned:
    """Let the service make a new revision of the same template, so that its requests go to new, clean instances.

    For an attack that came in while the service ran. It does not help where the image itself is at fault: that is for
    `roll_back_service`. Held as `traffic_pinned` where requests go to a revision by its name, so that a new one would
    get none; as `template_differs` where somebody has changed the template since the serving revision was made, so that
    a new one would run something else. It cannot be undone. The new revision is named `SERVICE-scc-` and 8 digits.

        then:
          - action: capture_evidence
          - action: restart_service
    """
    service, bad = context.service, context.revision
    if service is None or bad is None:
        return without_revision(context)
    if _is_restarted(context, service, bad):
        return Skip(reason=Reason.ALREADY_RESTARTED)
    traffic = (*service.traffic, *service.traffic_statuses)
    is_latest = service.latest_ready == bad.name and any(item.latest and item.percent for item in service.traffic)
    if not is_latest and not reaches(traffic, bad.name):
        return Skip(reason=Reason.ALREADY_RETIRED)
    reason = _held(service, bad, is_latest=is_latest)
    if reason:
        return Hold(reason=reason)
    return [
        RestartService(
            path=service.name.path,
            uid=service.uid,
            revision=bad.name,
            revision_uid=bad.uid,
            prior=service.traffic,
            tagged_images=tuple(item.image for item in service.containers if not item.digest),
        )
    ]


def _is_restarted(context: Context, service: RunService, bad: RunRevision) -> bool:
    """Whether another finding of the same moment has had it restarted: events are told apart by some seconds alone."""
    is_ours = bad.name.startswith(own_revision(service.name.name, ""))
    return is_ours and bad.create_time is not None and bad.create_time > context.finding.event_time


def _held(service: RunService, bad: RunRevision, *, is_latest: bool) -> Reason | None:
    if not is_latest or any(item.percent and not item.latest for item in service.traffic):
        return Reason.TRAFFIC_PINNED
    is_same = service.latest_created == bad.name and service.service_account == bad.service_account
    if not is_same or not _same_images(service.containers, bad.containers):
        return Reason.TEMPLATE_DIFFERS
    is_too_long = len(own_revision(service.name.name, "0" * 32)) > LONGEST_REVISION_NAME
    return Reason.INVALID_NAME if is_too_long else None


def _same_images(left: tuple[RunContainer, ...], right: tuple[RunContainer, ...]) -> bool:
    return len(left) == len(right) and all(map(_same_image, left, right))


def _same_image(left: RunContainer, right: RunContainer) -> bool:
    """By their digests where both are known, else by their names."""
    return left.digest == right.digest if left.digest and right.digest else left.image == right.image
