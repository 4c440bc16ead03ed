"""Receiver `apprise`: plain text to one of the services that Apprise knows and that has no receiver of its own.

Its secret: one URL of Apprise's, such as `ntfys://ntfy.example.com/responder`. Apprise says neither why a message was
not taken nor whether it may be later: it may be tried again. No redirect is followed, and beyond this machine nothing
is sent without TLS or to a certificate that is not checked. Source: Apprise, "Notification services".
"""

from __future__ import annotations

import logging
import re
from importlib import import_module
from threading import BoundedSemaphore, Thread
from typing import Any

from scc_responder.adapters.messaging.secret_address import unusable
from scc_responder.domain.errors import ApiError, OutcomeUnknown
from scc_responder.domain.notices.notice import NoticeSeverity
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.ports import Receiver
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import is_this_machine
from scc_responder.journal.account.notice_card import notice_card

APPRISE_SECONDS = 15.0
MOST_APPRISE_BYTES = 1_900
"""Of a message: the shortest that services of chats take is 2,000 characters."""
_NAME = "apprise"
_FORM = "one URL of Apprise's, such as ntfys://ntfy.example.com/responder"
_URL = re.compile(r"[a-z0-9+-]{2,40}://[\x21-\x7e]{1,2000}", re.ASCII)
_ON_THIS_MACHINE = re.compile(r"(?:dbus|file|glib|gnome|growl|kde|macosx|qt|syslog|windows|include|config)s?://")
_LOGGERS = ("apprise", "urllib3.connectionpool", "requests_oauthlib")
_KINDS = {NoticeSeverity.NOTICE: "info", NoticeSeverity.WARNING: "warning", NoticeSeverity.ERROR: "failure"}
_AT_ONCE = BoundedSemaphore(4)


def receiver(address: str, seconds: float = APPRISE_SECONDS) -> Receiver:
    """The service. Raises SettingsError for a URL of a form that Apprise does not know."""
    url = address.strip()
    if not _URL.fullmatch(url) or _ON_THIS_MACHINE.match(url):
        raise unusable(_NAME, _FORM)
    return Apprise(url, seconds)


class Apprise:
    """`ports.Receiver` on one service."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self._seconds = seconds

    def send(self, routed: RoutedNotice) -> str:
        """Hand the text over, in a thread that is not waited for beyond its time: a service may never end its answer.

        At most four are under way at a time. The receipt is the notice's own id.
        """
        if not _AT_ONCE.acquire(blocking=False):
            raise ApiError(Reason.RECEIVER.of("busy"), "four messages by Apprise have no answer yet", status=503)
        told: list[bool] = []
        work = Thread(target=self._work, args=(routed, told), daemon=True)
        work.start()
        work.join(self._seconds)
        if not told:
            raise OutcomeUnknown(Reason.RECEIVER.of("no_answer"), f"no answer within {self._seconds:g} s")
        if not told[0]:
            why = "the service did not take it, or others could read what its URL sends"
            raise ApiError(Reason.RECEIVER.of("not_taken"), why, status=503)
        return routed.id

    def _work(self, routed: RoutedNotice, told: list[bool]) -> None:
        try:
            told.append(self._tell(routed))
        except Exception:  # noqa: BLE001 - what a plugin raises may quote the address
            told.append(False)
        finally:
            _AT_ONCE.release()

    def _tell(self, routed: RoutedNotice) -> bool:
        for name in _LOGGERS:  # they say addresses, with what is secret in them
            logging.getLogger(name).disabled = True
        library: Any = import_module("apprise")
        card = notice_card(routed)
        asset = library.AppriseAsset(app_id="scc-responder", async_mode=False, http_redirects=False)
        sender = library.Apprise(asset=asset)
        service = library.Apprise.instantiate(self._url, asset=asset)
        if not (service and is_private(self._url, service) and sender.add(service)):
            return False
        body = "\n".join(card.text.splitlines()[1:]).encode()[:MOST_APPRISE_BYTES].decode(errors="ignore")
        return bool(sender.notify(title=card.title, body=body, notify_type=_KINDS[card.severity], body_format="text"))


def is_private(url: str, service: Any) -> bool:
    """Whether only the service itself can read what is sent. Apprise lists forms of its URLs that do not encrypt."""
    if is_this_machine(str(service.host or "")):
        return True
    plain = service.protocol or ()
    unencrypted = {plain} if isinstance(plain, str) else {*plain}
    is_encrypted = bool(service.secure) or url.partition("://")[0] not in unencrypted
    return is_encrypted and service.verify_certificate and not service.redirects
