"""Whom Essential Contacts names for the project of a finding: for routes that tell contacts, and for the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scc_responder.domain.errors import ApiError
from scc_responder.journal.messages import Ending, log_line

if TYPE_CHECKING:
    from scc_responder.pipeline.services import Services


def contacts_of(place: str, services: Services) -> tuple[str, ...]:
    """Of the path of a cluster, or `projects/P`: those that are known within a second. Asked after what is changed.

    None where no route tells contacts. What Essential Contacts refuses is a line of the log, and holds nothing up.
    """
    contacts, (kind, _, rest) = services.contacts, place.partition("/")
    if contacts is None or kind != "projects":
        return ()
    try:
        return contacts.of(rest.partition("/")[0])
    except ApiError as error:
        fields = {"place": place, "error": str(error)}
        ending = Ending(status=204, reason=error.reason, severity="WARNING")
        services.tell(log_line(ending, "", "", services.settings.trace_project, fields))
        return ()
