"""What Cloud Storage says that the caller may do in a bucket, and how long it keeps what is in it. Reads only.

A write that tries it could not be taken back: retention keeps every object.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from scc_responder.adapters.google.access import google_channel
from scc_responder.adapters.google.access.credentials import AccessToken
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import read_json

STORAGE_EMULATOR = "STORAGE_EMULATOR_HOST"
CREATE_OBJECTS = "storage.objects.create"
READ_BUCKET = "storage.buckets.get"
_HOST = "https://storage.googleapis.com"
_MOST_BYTES = 1024 * 1024


class BucketAccess:
    """`google_checks.Bucket` over Cloud Storage's JSON API.

    `emulator`: another server of that API on this machine, host:port or http://host:port, asked without credentials.
    """

    def __init__(
        self, bucket: str, *, emulator: str = "", token: Callable[[], str] | None = None, timeout_seconds: float = 10.0
    ) -> None:
        at = urlsplit(emulator).netloc if "://" in emulator else emulator
        self._host = f"http://{google_channel.check_loopback(at, STORAGE_EMULATOR)}" if at else _HOST
        self._bucket = bucket
        self._token = token or ((lambda: "") if at else AccessToken())
        self._timeout_seconds = timeout_seconds
        self._time: datetime | None = None

    def may_create(self) -> bool:
        """Whether the caller has `storage.objects.create`. Raises ApiError."""
        answer = self._get("/iam/testPermissions", {"permissions": CREATE_OBJECTS}, "")
        granted = answer.get("permissions")
        return isinstance(granted, list) and CREATE_OBJECTS in granted

    def retention_seconds(self) -> int:
        """How long objects cannot be deleted; 0 where they can. Raises ApiError."""
        policy = self._get("", {"fields": "retentionPolicy"}, READ_BUCKET).get("retentionPolicy")
        period = str(policy.get("retentionPeriod")) if isinstance(policy, dict) else ""
        return int(period) if period.isdecimal() else 0

    def server_time(self) -> datetime | None:
        """The `Date` of the latest answer."""
        return self._time

    def _get(self, path: str, query: dict[str, str], permission: str) -> dict[str, Any]:
        url = f"{self._host}/storage/v1/b/{quote(self._bucket, safe='')}{path}?{urlencode(query)}"
        urllib3: Any = import_module("urllib3")
        token = self._token()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with urllib3.PoolManager(retries=False, timeout=self._timeout_seconds) as pool:
                answer = pool.request("GET", url, headers=headers, redirect=False, preload_content=False)
                body = answer.read(_MOST_BYTES)
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(Reason.STORAGE.of("unreachable"), f"{self._host}: {type(error).__name__}") from error
        self._time = _date(answer.headers.get("Date", ""))
        return _decoded(self._bucket, answer.status, body, permission)


def _decoded(bucket: str, status: int, body: bytes, permission: str) -> dict[str, Any]:
    if status == 404:
        raise ApiError(Reason.BUCKET_NOT_FOUND, f"there is no bucket gs://{bucket}", status=404)
    if status in {401, 403}:
        raise ApiError(
            Reason.STORAGE.of("forbidden"), f"gs://{bucket}: HTTP {status}", status=status, permission=permission
        )
    try:
        if status == 200:
            return read_json(body, dict[str, Any])
    except msgspec.DecodeError:
        pass
    raise ApiError(Reason.STORAGE.of(Reason.UNUSABLE_ANSWER), f"gs://{bucket}: HTTP {status}", status=status)


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (TypeError, ValueError):
        return None
