"""Essential Contacts on this machine, as far as it computes the contacts of a project.

Source: Essential Contacts API v1, `google/cloud/essentialcontacts/v1/service.proto` and `enums.proto`, as JSON.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

_COMPUTED = re.compile(r"/v1/projects/([a-z0-9.:-]+)/contacts:compute")
_CATEGORIES = {"ALL", "SUSPENSION", "SECURITY", "TECHNICAL", "BILLING", "LEGAL", "PRODUCT_UPDATES"}


class ContactsServer:
    """The server. `token` is what it wants; `asked` are the projects that were asked for.

    `answers` are bodies or statuses that the next requests get.
    """

    def __init__(self, token: str = "token-1") -> None:
        self.token = token
        self.asked: list[str] = []
        self.answers: list[int | bytes] = []
        self.contacts: dict[str, list[dict[str, Any]]] = {}
        handler = type("Handler", (_Handler,), {"server_of": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.endpoint = f"127.0.0.1:{self._server.server_address[1]}"

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

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_of: ClassVar[ContactsServer]

    def do_GET(self) -> None:
        server, url = self.server_of, urlsplit(self.path)
        asked, query = _COMPUTED.fullmatch(url.path), parse_qs(url.query)
        server.asked.append(asked[1] if asked else self.path)
        given = server.answers.pop(0) if server.answers else None
        wanted = set(query.get("notificationCategories", ()))
        if isinstance(given, bytes):
            self._answer(200, given)
        elif given or self.headers.get("Authorization") != f"Bearer {server.token}":
            self._answer(given or 401, b"{}")
        elif asked is None or not wanted <= _CATEGORIES or set(query) - {"notificationCategories", "pageSize"}:
            self._answer(400, b'{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}')
        else:
            self._answer(200, json.dumps(server.computed(asked[1], wanted)).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class says so
        """Nothing is printed."""
