"""Ways to tell people, one file each.

A notifier is named in SCC_RESPONDER_NOTIFIERS, and `notifier(settings)` of its file makes it. In: a `Notice`. Out: the
receiver's id of the message. Where settings lack what a notifier needs, `notifier` returns None. Settings of its own
are in `settings.notifier_options`. Read `outcome_topic.py` for an example.

A receiver gets the notices of a route, and `receiver(address)` of its file makes it of the content of a secret file.
In: a `RoutedNotice`. Out: the service's receipt. Read `signed_webhook.py` for an example.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import iter_modules

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.ports import Notifier, Receiver
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
    """Check that there is a notifier of each name. Raises SettingsError that lists the known ones."""
    for name in names:
        if not _has(name, "notifier"):
            known = ", ".join(_named("notifier"))
            raise SettingsError(
                "unknown_notifier", f"{VARIABLE_PREFIX}NOTIFIERS: no notifier {name!a}; give one of {known}"
            )


def open_receiver(name: str, address: str) -> Receiver:
    """The receiver of this name; nothing is connected before its first notice.

    `address` is the content of its secret file, of which no error says anything. Raises SettingsError where there is no
    such receiver, or its address is none.
    """
    if not _has(name, "receiver"):
        known = ", ".join(_named("receiver"))
        raise SettingsError("unknown_receiver", f"no receiver {name!a}; give one of {known}")
    made: Receiver = import_module(f"{__name__}.{name}").receiver(address)
    return made


def open_notifiers(settings: Settings, report: ReportFailure) -> Notifier | None:
    """The notifiers that settings name, as one; None where settings give none of them what it needs.

    Nothing is connected before the first notice.
    """
    made = ((name, import_module(f"{__name__}.{name}").notifier(settings)) for name in settings.notifiers)
    members = [(name, notifier) for name, notifier in made if notifier is not None]
    if len(members) > 1:
        return NotifierGroup(members, report)
    return members[0][1] if members else None


def _named(kind: str) -> list[str]:
    return sorted(module.name for module in iter_modules(__path__) if _has(module.name, kind))


def _has(name: str, kind: str) -> bool:
    """Whether a file of this folder makes such a thing."""
    is_there = name in {module.name for module in iter_modules(__path__)}
    return is_there and hasattr(import_module(f"{__name__}.{name}"), kind)
