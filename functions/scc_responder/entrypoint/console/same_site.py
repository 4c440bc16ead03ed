"""Whether a request is meant for the console, and comes from a page of its own. Pure.

Sources: Fetch Metadata Request Headers (W3C); Fetch, "append a request Origin header": under `Referrer-Policy:
no-referrer` a form is sent with `Origin: null`, and `Sec-Fetch-Site`, which no page can set, tells whose form it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from scc_responder.domain.reasons import Reason

_FORM = "application/x-www-form-urlencoded"
_READS = frozenset({"GET", "HEAD"})


def misdirected(method: str, headers: Mapping[str, str], base_url: str) -> Reason | None:
    """Why the request is not answered; None where it may be. Header names are in lower case.

    `base_url` is the console's own address, such as `https://console.example.com`: no other host is answered, whatever
    name leads to this machine, and no form of another origin is taken.
    """
    if headers.get("host", "") != urlsplit(base_url).netloc:
        return Reason.FOREIGN_HOST
    if method in _READS:
        return None
    if method != "POST":
        return Reason.METHOD_NOT_ALLOWED
    if not _is_own(headers, base_url):
        return Reason.FOREIGN_ORIGIN
    return None if headers.get("content-type", "").partition(";")[0].strip() == _FORM else Reason.NOT_A_FORM


def _is_own(headers: Mapping[str, str], base_url: str) -> bool:
    origin, site = headers.get("origin", "null"), headers.get("sec-fetch-site", "")
    if site and site != "same-origin":
        return False
    return origin == base_url or (origin == "null" and site == "same-origin")
