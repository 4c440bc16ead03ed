"""Ways to tell people, one file each, named in SCC_RESPONDER_NOTIFIERS: `notifier(settings)` of that file makes it.

In: a `Notice`. Out: the receiver's id of the message. Where settings lack what a notifier needs, `notifier` returns
None. Settings of its own are in `settings.notifier_options`. Read `outcome_topic.py` for an example.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import iter_modules

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.notice import Notice
from scc_responder.domain.ports import Notifier
from scc_responder.settings import VARIABLE_PREFIX, Settings

ReportFailure = Callable[[str, Exception], None]
"""What is called with the name of a notifier that failed where the first one decides the outcome, and its error."""


class NotifierGroup:
    """Several notifiers as one: each is told, whatever the others do. The first one's answer, or error, is the outcome.

    The errors of the others are reported.
    """

    def __init__(self, members: Sequence[tuple[str, Notifier]], report: ReportFailure) -> None:
        self._members = members
        self._report = report

    def tell(self, notice: Notice) -> str:
        """The first one's id of the message. Raises what the first one raised, after the others were told."""
        (_, first), *others = self._members
        try:
            return first.tell(notice)
        finally:
            for name, other in others:
                try:
                    other.tell(notice)
                except Exception as error:  # noqa: BLE001 - a mistake in one keeps no other from being told
                    self._report(name, error)


def check_notifiers(names: Sequence[str]) -> None:
    """Check that there is a file for each name. Raises SettingsError that lists the known ones."""
    known = sorted(module.name for module in iter_modules(__path__))
    for name in names:
        if name not in known:
            raise SettingsError(
                "unknown_notifier", f"{VARIABLE_PREFIX}NOTIFIERS: no notifier {name!a}; give one of {', '.join(known)}"
            )


def open_notifiers(settings: Settings, report: ReportFailure) -> Notifier | None:
    """The notifiers that settings name, as one; None where settings give none of them what it needs.

    Nothing is connected before the first notice.
    """
    made = ((name, import_module(f"{__name__}.{name}").notifier(settings)) for name in settings.notifiers)
    members = [(name, notifier) for name, notifier in made if notifier is not None]
    if len(members) > 1:
        return NotifierGroup(members, report)
    return members[0][1] if members else None
