"""Who asks on this machine: whoever has the address that was printed, once, and from then on the cookie it gave.

The token in the address is good for one browser. To read the address changes nothing: a button takes the token, so that
no preview and no other program uses it up.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256
from secrets import token_urlsafe
from threading import Lock
from typing import TYPE_CHECKING

from scc_responder.domain.errors import Forbidden
from scc_responder.domain.reasons import Reason
from scc_responder.entrypoint.console.persons_answer import Person
from scc_responder.entrypoint.console.rendering import rendered

if TYPE_CHECKING:
    from flask import Flask, Response

_TOKEN_BYTES = 32


class LocalDoor:
    """`IdentifiesPerson` for the console at `base_url` on this machine.

    `user` is what cases keep of the person. `invite` is told an address when it opens, and another one whenever the
    token of the one before was used, for another browser.
    """

    def __init__(self, base_url: str, user: str, invite: Callable[[str], None]) -> None:
        self._base = base_url
        self._user = user
        self._invite = invite
        self._cookie = f"scc_responder_{base_url.rpartition(':')[2]}"
        self._sessions: set[str] = set()
        self._lock = Lock()
        self._token = token_urlsafe(_TOKEN_BYTES)

    def person(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Person:  # noqa: ARG002 - see the port
        """The user of this machine. Raises Forbidden `not_signed_in`."""
        session = _digest(cookies.get(self._cookie, ""))
        if session not in self._sessions:
            raise Forbidden(Reason.NOT_SIGNED_IN)
        return Person(name=self._user, session=session)

    def hang(self, app: Flask) -> None:
        """Add the way in to the app: the page of the address, and what its button sends."""
        from flask import request  # noqa: PLC0415 - not for a command's help

        def show() -> str:
            token = request.args.get("token", "")
            return rendered("enter.html", forms="'self'", person=None, token=token)

        app.add_url_rule("/enter", view_func=show, endpoint="show_door", methods=["GET"])
        app.add_url_rule(
            "/enter", view_func=lambda: self._enter(request.form.get("token", "")), endpoint="enter", methods=["POST"]
        )

    def _enter(self, token: str) -> Response:
        """A session for the browser that has the token. Raises Forbidden `not_signed_in`."""
        from flask import redirect  # noqa: PLC0415

        with self._lock:
            if not hmac.compare_digest(token.encode(), self._token.encode()):
                raise Forbidden(Reason.NOT_SIGNED_IN)
            session = token_urlsafe(_TOKEN_BYTES)
            self._sessions.add(_digest(session))
            self._token = token_urlsafe(_TOKEN_BYTES)
        self.open()
        response: Response = redirect("/", 303)  # type: ignore[assignment] # it is Flask's own
        response.set_cookie(self._cookie, session, httponly=True, samesite="Strict", path="/")
        return response

    def open(self) -> None:
        """Tell the address that lets the next browser in."""
        self._invite(f"{self._base}/enter?token={self._token}")


def _digest(session: str) -> str:
    return sha256(session.encode()).hexdigest()
