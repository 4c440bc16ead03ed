"""The console as a service of its own, from the zip of the function. It reads the journal, and hands answers on.

SCC_RESPONDER_STORE           firestore://PROJECT/DATABASE[/COLLECTION], as the function's. It is read, never written.
SCC_RESPONDER_CONSOLE_URL     the console's own https:// address: no other host is answered, and links begin with it
SCC_RESPONDER_FUNCTION_URL    the function's https:// address, and whom the console's own token is made for
SCC_RESPONDER_UNDO_URL        the https:// address of the service that takes cases back; without it pages show a command
SCC_RESPONDER_IAP_AUDIENCE    whom IAP's assertions are made for: /projects/NUMBER/locations/REGION/services/CONSOLE
SCC_RESPONDER_IAP_KEYS        http:// address on this machine of the public keys of another IAP
FIRESTORE_EMULATOR_HOST       host:port of Google's Firestore emulator on this machine
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from scc_responder.adapters.google.access.iap_assertions import IapIdentity
from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.resource_names import FIRESTORE_ADDRESS
from scc_responder.entrypoint.console.behind_iap import HandedOn, PersonBehindIap
from scc_responder.entrypoint.console.console_app import Console, make_app
from scc_responder.entrypoint.console.own_id_token import own_id_token
from scc_responder.journal.journal import Journal
from scc_responder.settings import FIRESTORE_EMULATOR

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

_ADDRESS = re.compile(r"https://[a-z0-9.-]{1,253}(?::[0-9]{1,5})?", re.ASCII)
_HERE = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}", re.ASCII)
_LOCAL_ONLY = ("SCC_RESPONDER_IAP_KEYS", FIRESTORE_EMULATOR)


def deployed_console(environment: Mapping[str, str]) -> Flask:
    """The app of a deployment. Raises SettingsError that names the variable and the remedy."""
    is_deployed = bool(environment.get("K_SERVICE"))
    for name in _LOCAL_ONLY:
        if is_deployed and environment.get(name):
            raise SettingsError("local_only_setting", f"{name} is for local use; remove it on Cloud Run")
    store = environment.get("SCC_RESPONDER_STORE", "")
    if not FIRESTORE_ADDRESS.fullmatch(store):
        raise SettingsError("invalid_setting", f"SCC_RESPONDER_STORE: {store!a} is not firestore://PROJECT/DATABASE")
    base_url = _address(environment, "SCC_RESPONDER_CONSOLE_URL", is_deployed=is_deployed)
    function_url = _address(environment, "SCC_RESPONDER_FUNCTION_URL", is_deployed=is_deployed)
    undo_url = ""
    if environment.get("SCC_RESPONDER_UNDO_URL"):
        undo_url = _address(environment, "SCC_RESPONDER_UNDO_URL", is_deployed=is_deployed)
    visitors = IapIdentity(
        environment.get("SCC_RESPONDER_IAP_AUDIENCE", ""), environment.get("SCC_RESPONDER_IAP_KEYS", "")
    )
    opened = cache(lambda: FirestoreStore(store, emulator=environment.get(FIRESTORE_EMULATOR, "")))
    return make_app(
        Console(
            journal=lambda: Journal(opened(), utc_now),
            identity=PersonBehindIap(visitors),
            answers=HandedOn(function_url, own_id_token, undo_url),
            base_url=base_url,
            key=secrets.token_bytes(32),  # there is one instance: it knows its forms again until it is replaced
            function_url=function_url,
        )
    )


def served_by(app: Flask, request: Any) -> BaseResponse:
    """The app's response to a request that another app received."""
    from flask import Response  # noqa: PLC0415 - the framework has loaded it by now

    return Response.from_app(app, request.environ)


def _address(environment: Mapping[str, str], name: str, *, is_deployed: bool) -> str:
    given = environment.get(name, "")
    if _ADDRESS.fullmatch(given) or (not is_deployed and _HERE.fullmatch(given)):
        return given
    raise SettingsError("invalid_setting", f"{name}: {given!a} is not an https:// address without a path")
