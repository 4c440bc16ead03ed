"""Who asks on this machine: one browser for each printed address, by a cookie that no other site can send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.cli.console.local_door import LocalDoor
from scc_responder.domain.errors import Forbidden
from scc_responder.domain.reasons import Reason
from tests.kits.console_pages import Browser, FormsOf
from tests.kits.no_journal import NO_JOURNAL

BASE = "http://127.0.0.1:8081"


class Visit:
    """A browser at a door on this machine, and the addresses that were told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.door = LocalDoor(BASE, "anna", self.told.append)
        self.door.open()
        self.browser = Browser(NO_JOURNAL, identity=self.door, base_url=BASE)
        self.door.hang(self.browser.client.application)

    def path(self, number: int = -1) -> str:
        return self.told[number].removeprefix(BASE)


@pytest.fixture
def visit() -> Visit:
    """A browser that was not let in yet."""
    return Visit()


def test_an_address_lets_one_browser_in(visit: Visit) -> None:
    """By its button; then another address is told, and the first one is worth nothing."""
    path = visit.path()
    entered = visit.browser.send("/enter", visit.browser.forms(path)["/enter"])
    assert (entered.status_code, entered.headers["Location"]) == (303, "/")
    cookie = entered.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert visit.browser.get("/").status_code == 200
    assert len(visit.told) == 2
    assert visit.told[0] != visit.told[1]

    other = visit.browser.client.application.test_client()
    visit.browser.client = other
    assert visit.browser.send("/enter", FormsOf(visit.browser.get(path).text).forms["/enter"]).status_code == 403
    assert visit.browser.get("/").status_code == 403


def test_to_look_at_an_address_uses_nothing_up(visit: Visit) -> None:
    """A preview of the link, by GET or HEAD, ten times: the address is good still."""
    for _ in range(10):
        assert visit.browser.get(visit.path()).status_code == 200
        assert visit.browser.client.head(visit.path(), base_url=BASE).status_code == 200
    assert len(visit.told) == 1
    assert visit.browser.get("/").status_code == 403
    assert visit.browser.send("/enter", visit.browser.forms(visit.path())["/enter"]).status_code == 303


def test_another_sites_form_lets_nobody_in(visit: Visit) -> None:
    """Not even with the right token: no page may sign somebody in."""
    fields = visit.browser.forms(visit.path())["/enter"]
    foreign = visit.browser.send("/enter", fields, Origin="https://evil.example", **{"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    assert visit.browser.get("/").status_code == 403


@given(st.text(max_size=60))
def test_no_other_text_is_token_or_cookie(text: str) -> None:
    """Whatever somebody tries."""
    visit = Visit()
    assert visit.browser.send("/enter", {"token": text}).status_code == 403
    with pytest.raises(Forbidden) as refused:
        visit.door.person({}, {"scc_responder_8081": text})
    assert refused.value.reason is Reason.NOT_SIGNED_IN
    assert len(visit.told) == 1
