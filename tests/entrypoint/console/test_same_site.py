"""Which requests are meant for the console: the exact host, and forms of its own pages alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.reasons import Reason
from scc_responder.entrypoint.console.same_site import misdirected

BASE = "http://127.0.0.1:8081"
OWN = {
    "host": "127.0.0.1:8081",
    "origin": BASE,
    "sec-fetch-site": "same-origin",
    "content-type": "application/x-www-form-urlencoded",
}


def test_a_page_is_read_and_its_form_is_taken() -> None:
    """A browser's own requests pass, also with the null origin that `no-referrer` makes of a form's."""
    assert misdirected("GET", {"host": "127.0.0.1:8081", "sec-fetch-site": "cross-site"}, BASE) is None
    assert misdirected("HEAD", {"host": "127.0.0.1:8081"}, BASE) is None
    assert misdirected("POST", OWN, BASE) is None
    assert misdirected("POST", {**OWN, "origin": "null"}, BASE) is None
    assert misdirected("POST", {name: OWN[name] for name in OWN if name != "sec-fetch-site"}, BASE) is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"host": "localhost:8081"}, Reason.FOREIGN_HOST),
        ({"host": "127.0.0.1"}, Reason.FOREIGN_HOST),
        ({"host": "127.0.0.1:8081.evil.example"}, Reason.FOREIGN_HOST),
        ({"host": ""}, Reason.FOREIGN_HOST),
        ({"origin": "http://evil.example"}, Reason.FOREIGN_ORIGIN),
        ({"origin": "http://127.0.0.1:8082"}, Reason.FOREIGN_ORIGIN),
        ({"origin": "https://127.0.0.1:8081"}, Reason.FOREIGN_ORIGIN),
        ({"origin": "null", "sec-fetch-site": "cross-site"}, Reason.FOREIGN_ORIGIN),
        ({"origin": "null", "sec-fetch-site": "same-site"}, Reason.FOREIGN_ORIGIN),
        ({"origin": "null", "sec-fetch-site": ""}, Reason.FOREIGN_ORIGIN),
        ({"sec-fetch-site": "none"}, Reason.FOREIGN_ORIGIN),
        ({"sec-fetch-site": "cross-site"}, Reason.FOREIGN_ORIGIN),
        ({"content-type": "application/json"}, Reason.NOT_A_FORM),
        ({"content-type": "text/plain"}, Reason.NOT_A_FORM),
    ],
)
def test_a_foreign_request_is_refused_with_its_reason(given: dict[str, str], reason: Reason) -> None:
    """DNS rebinding, another port, another site, another kind of body: each has its word."""
    assert misdirected("POST", {**OWN, **given}, BASE) is reason


def test_a_form_without_any_origin_is_refused() -> None:
    """What is no browser of today sends none: it cannot be told from another site's."""
    bare = {name: OWN[name] for name in ("host", "content-type")}
    assert misdirected("POST", bare, BASE) is Reason.FOREIGN_ORIGIN


@given(st.sampled_from(["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"]))
def test_other_methods_are_refused(method: str) -> None:
    """Pages are read by GET and answered by POST, and nothing else."""
    assert misdirected(method, OWN, BASE) is Reason.METHOD_NOT_ALLOWED


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_no_text_but_the_own_is_a_host_or_origin(host: str, origin: str, site: str) -> None:
    """Whatever else stands in these headers, nothing is answered."""
    if host != OWN["host"]:
        assert misdirected("GET", {"host": host}, BASE) is Reason.FOREIGN_HOST
    if origin not in {BASE, "null"}:
        assert misdirected("POST", {**OWN, "origin": origin}, BASE) is Reason.FOREIGN_ORIGIN
    if site not in {"same-origin", ""}:
        assert misdirected("POST", {**OWN, "sec-fetch-site": site}, BASE) is Reason.FOREIGN_ORIGIN
