"""One request to a web service, which is sent once and ends in time: no redirect, no retry, no proxy.

The connection is urllib3's own, without its pool: a pool logs the paths of requests, and these hold secrets.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from scc_responder.domain.errors import ApiError, OutcomeUnknown
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value

if TYPE_CHECKING:
    from scc_responder.adapters.messaging.secret_address import WebAddress

POST_SECONDS = 10.0
MOST_ANSWER_BYTES = 256 * 1024
MOST_WAIT_SECONDS = 3600.0
_AGENT = "scc-responder"
_AS_IT_COMES = {"preload_content": False, "decode_content": False}


class WebAnswer(Value, frozen=True, kw_only=True):
    """What the service answered: status, `Retry-After` in seconds (0 where it says none), headers in lower case."""

    status: int
    retry_after_seconds: float = 0.0
    headers: dict[str, str] = {}
    body: bytes = b""


def web_post(
    address: WebAddress, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float = POST_SECONDS
) -> WebAnswer:
    """Send `body` once, and return the whole answer to a success.

    `timeout_seconds` bounds it all, from the connection to the last byte. Raises ApiError where the service refused, or
    cannot be reached; OutcomeUnknown where it may have taken it.
    """
    until = time.monotonic() + timeout_seconds
    connection = web_connection(address, timeout_seconds)
    sent, answer, trouble = False, WebAnswer(status=0), ""
    try:
        connection.connect()
        connection.sock.settimeout(max(0.01, until - time.monotonic()))
        sent = True
        connection.request("POST", address.target, body=body, headers={"User-Agent": _AGENT, **headers}, **_AS_IT_COMES)
        connection.timeout = max(0.01, until - time.monotonic())
        answer = _read(connection.getresponse())
    except (OSError, HTTPException, _problems()) as error:
        trouble = type(error).__name__
    finally:
        connection.close()
    if trouble:  # raised out here: the error of the library would go along, and may name the address
        kind = OutcomeUnknown if sent else ApiError
        raise kind(Reason.RECEIVER.of("no_answer" if sent else "unreachable"), f"no answer: {trouble}")
    if not 200 <= answer.status < 300:
        raise post_refusal(answer.status, answer.retry_after_seconds)
    return answer


def post_refusal(status: int, retry_after_seconds: float = 0.0, said: str = "") -> ApiError:
    """The error for a status of HTTP. `said` is a word of the service's own, already checked."""
    message = f"the service answered with status {status}" + (f": {said}" if said else "")
    reason = Reason.RECEIVER.of(said or f"status_{status}")
    return ApiError(reason, message, status=status, retry_after_seconds=retry_after_seconds)


def web_connection(address: WebAddress, seconds: float) -> Any:
    """A connection to the service, which is not open yet; with TLS its certificate and name are checked."""
    from scc_responder.adapters.kubernetes.one_write import (  # noqa: PLC0415 - not before the first notice
        OneWriteConnection,
        PlainConnection,
    )
    from scc_responder.adapters.kubernetes.server_trust import server_trust  # noqa: PLC0415

    if address.is_encrypted:
        return OneWriteConnection(address.host, address.port, timeout=seconds, ssl_context=server_trust())
    return PlainConnection(address.host, address.port, timeout=seconds)


def _problems() -> type[Exception]:
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - loaded with the connection

    return HTTPError


def _read(response: Any) -> WebAnswer:
    body = bytearray()
    while chunk := response.read1(16 * 1024):
        body += chunk
        if len(body) > MOST_ANSWER_BYTES:
            raise HTTPException("the answer is too long")
    headers = {name.lower(): value for name, value in response.headers.items()}
    wait = headers.get("retry-after", "")
    seconds = min(float(wait), MOST_WAIT_SECONDS) if wait.isascii() and wait.isdigit() else 0.0
    return WebAnswer(status=response.status, retry_after_seconds=seconds, headers=headers, body=bytes(body))
