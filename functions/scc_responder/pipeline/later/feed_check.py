"""Once a day a sweep looks whether findings still come: is what sends them as it was made, and how old is the last?

A heartbeat begins at the topic: it goes on where Security Command Center sends nothing there any more.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import Any

import msgspec

from scc_responder.domain.errors import AlreadyExists, ApiError, Conflict
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import NotificationConfig
from scc_responder.domain.store import stored_as, write_over
from scc_responder.domain.value import AwareDatetime, Value
from scc_responder.journal.messages import Ending, log_line
from scc_responder.journal.notices import feed_notice
from scc_responder.pipeline.services import Services

FEED_KEY = "sweep/feed"
_ANSWERS = {403: Reason.CONFIG_UNREAD, 404: Reason.CONFIG_CHANGED}
"""What a refusal says by its status. Any other may pass: the next sweep asks again."""
_Answer = tuple[Reason, dict[str, Any]]


class FeedState(Value, frozen=True, kw_only=True):
    """`newest`: when the last finding happened that a sweep met; before the first, when sweeps began.

    `checked`: the day, in UTC, of the last check that was answered.
    """

    newest: AwareDatetime
    checked: date | None = None


def check_feed(services: Services, newest: datetime | None) -> None:
    """Write the line of this day, unless it is written. Raises StoreError.

    `newest` is when the last finding happened that this sweep met. Two sweeps at once may write the line twice. Where
    settings do not say what sends findings, nothing is checked.
    """
    made, now = services.settings.notification_config, services.clock()
    if made is None:
        return
    entry = services.store.get(FEED_KEY)
    known = stored_as(FeedState, entry)
    seen = [moment for moment in (known.newest if known else None, newest) if moment]
    state = FeedState(newest=min(max(seen, default=now), now), checked=known.checked if known else None)
    if state.checked != now.date() and (answer := _asked(made, services)):
        _tell(answer, (now - state.newest).days, services)
        state = FeedState(newest=state.newest, checked=now.date())
    if state != known:
        with suppress(AlreadyExists, Conflict):
            write_over(services.store, FEED_KEY, msgspec.json.encode(state), entry)


def _asked(made: NotificationConfig, services: Services) -> _Answer | None:
    """How what sends findings differs from what was made; None where there is no answer now."""
    try:
        found = services.security_center.notification_config(made.name)
    except ApiError as error:
        reason = _ANSWERS.get(error.status)
        return (reason, {"error": str(error)}) if reason else None
    differs = made.differs(found)
    return (Reason.CONFIG_CHANGED, {"differs": differs}) if differs else (Reason.CONFIG_AS_MADE, {})


def _tell(answer: _Answer, days: int, services: Services) -> None:
    reason, fields = answer
    ending = Ending(status=204, reason=reason, severity="INFO" if reason is Reason.CONFIG_AS_MADE else "ERROR")
    told = {"by": "sweep", "days_without_finding": days, **fields}
    services.tell(log_line(ending, "", "", services.settings.trace_project, told))
    if reason is not Reason.CONFIG_AS_MADE:
        services.notify(feed_notice(reason, services.clock().date(), fields))
