"""The content of a receiver's secret file, which no error, log line or repr says."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.resource_names import is_this_machine
from scc_responder.domain.value import read_json

_T = TypeVar("_T")
_URL = re.compile(r"[\x21-\x7e]{1,2048}", re.ASCII)


class SecretFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a secret file in JSON holds; its repr says nothing of it."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class WebAddress:
    """An https:// URL, or an http:// one on this machine, in parts. Its repr says nothing of it."""

    __slots__ = ("host", "is_encrypted", "port", "target")

    def __init__(self, *, host: str, port: int, target: str, is_encrypted: bool) -> None:
        self.host = host
        self.port = port
        self.target = target
        self.is_encrypted = is_encrypted


def unusable(receiver: str, form: str) -> SettingsError:
    """The error that says what a receiver's secret looks like, and nothing of what is there."""
    return SettingsError("invalid_receiver_secret", f"the secret of the receiver {receiver} is not {form}")


def secret_fields(wanted: type[_T], content: str, receiver: str, form: str) -> _T:
    """The fields of a secret in JSON. Raises SettingsError, which quotes nothing of it."""
    fields: _T | None = None
    with suppress(msgspec.DecodeError):
        fields = read_json(content, wanted)
    if fields is None:  # raised out here: the library's error would go along, and quote a part
        raise unusable(receiver, form)
    return fields


def web_address(url: str, receiver: str, form: str = "one https:// URL") -> WebAddress:
    """The URL in parts. Raises SettingsError, which quotes nothing of it."""
    found = _parts(url.strip())
    if found is None:
        raise unusable(receiver, form)
    return found


def _parts(url: str) -> WebAddress | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    is_encrypted = parts.scheme == "https"
    is_allowed = is_encrypted or (parts.scheme == "http" and is_this_machine(host))
    if not _URL.fullmatch(url) or not host or not is_allowed or parts.fragment or "@" in parts.netloc:
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebAddress(host=host, port=port or (443 if is_encrypted else 80), target=target, is_encrypted=is_encrypted)
