"""Essential Contacts on this machine, as far as it computes the contacts of a project.

Source: Essential Contacts API v1, `google/cloud/essentialcontacts/v1/service.proto` and `enums.proto`, as JSON.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.kits.google.token_server import TokenServer

_COMPUTED = re.compile(r"/v1/projects/([a-z0-9.:-]+)/contacts:compute")
_CATEGORIES = {"ALL", "SUSPENSION", "SECURITY", "TECHNICAL", "BILLING", "LEGAL", "PRODUCT_UPDATES"}


class ContactsServer(TokenServer):
    """The server. `asked` are the projects that were asked for."""

    def __init__(self, token: str = "token-1") -> None:
        super().__init__(token)
        self.contacts: dict[str, list[dict[str, Any]]] = {}

    def add(self, project: str, email: str, *categories: str, validation: str = "VALID") -> None:
        """Name a contact of the project for these categories."""
        contact = {
            "name": f"organizations/123456789012/contacts/{len(self.contacts.get(project, ())) + 1}",
            "email": email,
            "notificationCategorySubscriptions": [*categories],
            "languageTag": "en-GB",
            "validationState": validation,
            "validateTime": "2026-03-02T09:38:12.458107Z",
        }
        self.contacts.setdefault(project, []).append(contact)

    def computed(self, project: str, wanted: set[str]) -> dict[str, Any]:
        """The answer: who has one of these categories, or all of them."""
        found = [
            each
            for each in self.contacts.get(project, ())
            if {*each["notificationCategorySubscriptions"], "ALL"} & wanted
            or "ALL" in each["notificationCategorySubscriptions"]
        ]
        return {"contacts": found} if found else {}

    def answer(self, target: str) -> tuple[str, int, Any]:
        """A malformed request is told so, as the API does."""
        url = urlsplit(target)
        asked, query = _COMPUTED.fullmatch(url.path), parse_qs(url.query)
        wanted = set(query.get("notificationCategories", ()))
        if asked is None or not wanted <= _CATEGORIES or set(query) - {"notificationCategories", "pageSize"}:
            return asked[1] if asked else target, 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT"}}
        return asked[1], 200, self.computed(asked[1], wanted)
