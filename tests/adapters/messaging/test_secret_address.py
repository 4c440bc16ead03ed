"""What is in a receiver's secret file is used, and never said."""

from __future__ import annotations

import json
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.adapters.messaging.secret_address import (
    SecretFields,
    secret_fields,
    unusable,
    web_address,
)
from scc_responder.domain.errors import SettingsError

SECRET = "s3cr3t-t0k3n"
ALLOWED = {
    "https://chat.example.com/v1/spaces/A?key=k": ("chat.example.com", 443, "/v1/spaces/A?key=k", True),
    "https://chat.example.com:8443": ("chat.example.com", 8443, "/", True),
    "http://127.0.0.1:8080/hook": ("127.0.0.1", 8080, "/hook", False),
    "http://[::1]:8080/hook": ("::1", 8080, "/hook", False),
    " https://chat.example.com/x\n": ("chat.example.com", 443, "/x", True),
}
REFUSED = (
    "",
    f"http://chat.example.com/{SECRET}",
    f"http://localhost.evil.example/{SECRET}",
    f"http://169.254.169.254/{SECRET}",
    f"ftp://chat.example.com/{SECRET}",
    f"file:///{SECRET}",
    f"https:///{SECRET}",
    f"https://user:{SECRET}@chat.example.com/",
    f"https://chat.example.com/#{SECRET}",
    f"https://chat.example.com/{SECRET} HTTP/1.1",
    f"https://chat.example.com/\r\nX-Header: {SECRET}",
    f"https://chat.example.com:{SECRET}/",
    f"https://[{SECRET}/",
    f"https://ch\u0430t.example.com/{SECRET}",
    "https://chat.example.com/" + SECRET * 300,
)


class _Fields(SecretFields, frozen=True, kw_only=True):
    url: str
    token: str = ""


def everything_said(error: BaseException) -> str:
    """All that a log could say of an error: its text, its traceback, and what it was raised from."""
    chain, said = [error], []
    while chain:
        each = chain.pop()
        said += [repr(each), str(each), *map(repr, each.args)]
        chain += [other for other in (each.__cause__, each.__context__) if other]
    return "\n".join([*said, *traceback.format_exception(error)])


@pytest.mark.parametrize(("url", "parts"), ALLOWED.items())
def test_an_address_is_https_or_this_machine(url: str, parts: tuple[str, int, str, bool]) -> None:
    """Without TLS only a loopback address is spoken to."""
    address = web_address(url, "webhook")
    assert (address.host, address.port, address.target, address.is_encrypted) == parts


@pytest.mark.parametrize("url", REFUSED)
def test_another_address_is_refused_unsaid(url: str) -> None:
    """The error names the receiver and the form, and nothing of what is there."""
    with pytest.raises(SettingsError, match="the secret of the receiver webhook is not one https:// URL") as raised:
        web_address(url, "webhook")
    assert SECRET not in everything_said(raised.value)


@given(st.text(max_size=40), st.sampled_from(['{"url": %s', '{"url": [%s]}', '{"url": "x", "%s": %s}', "%s", "[%s]"]))
def test_no_error_quotes_a_secret(hidden: str, form: str) -> None:
    """Whatever is wrong with the file: no JSON, another type, an unknown field."""
    text = form.replace("%s", json.dumps(SECRET + hidden).replace('"%s"', SECRET))
    with pytest.raises(SettingsError) as raised:
        secret_fields(_Fields, text, "chat", "a URL")
    assert SECRET not in everything_said(raised.value)


def test_no_repr_says_a_secret() -> None:
    """What a debugger or a log line would print of the values."""
    fields = secret_fields(_Fields, json.dumps({"url": "https://x", "token": SECRET}), "chat", "a URL")
    assert fields.token == SECRET
    assert SECRET not in f"{fields!r} {fields} {web_address(f'https://chat.example.com/{SECRET}', 'chat')!r}"
    assert str(unusable("chat", "a URL")) == "the secret of the receiver chat is not a URL"
