"""Whom a project names for security, in Essential Contacts: asked once an hour for each project. Reads only.

Source: Essential Contacts API v1, `projects.contacts.compute`, which has the contacts of folders and organisation, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from scc_responder.adapters.google.access.grpc_errors import ApiMethod
from scc_responder.adapters.google.access.rest_client import RestClient
from scc_responder.domain.ports import Clock
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value

CONTACTS_KEPT, CONTACTS_UNKNOWN = timedelta(hours=1), timedelta(minutes=5)
_API = "https://essentialcontacts.googleapis.com"
_SECURITY = "contacts:compute?notificationCategories=SECURITY&pageSize=100"


class _Contact(Value, frozen=True, kw_only=True):
    email: str = ""
    validation: str = msgspec.field(default="", name="validationState")


class _Contacts(Value, frozen=True, kw_only=True):
    contacts: tuple[_Contact, ...] = ()


class EssentialContacts(RestClient):
    """`ports.ProjectContacts`."""

    call = ApiMethod(api=Reason.ESSENTIAL_CONTACTS, permission="essentialcontacts.contacts.list")
    setting = "SCC_RESPONDER_CONTACTS_ENDPOINT"
    within_seconds = 1.0

    def __init__(self, clock: Clock, *, endpoint: str = "", token: Callable[[], str] | None = None) -> None:
        super().__init__(endpoint=endpoint, token=token)
        self._clock = clock
        self._known: dict[str, tuple[datetime, tuple[str, ...]]] = {}
        self._asking: dict[str, threading.Lock] = {}

    def of(self, project: str) -> tuple[str, ...]:
        """See `ports.ProjectContacts`."""
        # One at a time for each project: nobody waits for the answer about another.
        with self._asking.setdefault(project, threading.Lock()):
            now = self._clock()
            if project not in self._known or now >= self._known[project][0]:
                self._known[project] = now + CONTACTS_UNKNOWN, ()
                found = self._read(f"{self._endpoint or _API}/v1/projects/{project}/{_SECURITY}", _Contacts).contacts
                named = tuple(item.email for item in found if item.email and item.validation != "INVALID")
                self._known[project] = now + CONTACTS_KEPT, named
            return self._known[project][1]
