"""Evidence in a bucket (`gs://bucket/prefix`) or, for local use, a folder (`file:///path`): created, never changed.

The client is made by the first `put`: a server that forks its workers must not hand its threads on, and a delivery
without evidence does not pay for it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.reasons import Reason

if TYPE_CHECKING:
    from obstore.store import GCSStore, LocalStore

_NAME = re.compile(r"[a-z0-9/_.-]{1,200}", re.ASCII)
_ADDRESS = re.compile(r"gs://(?P<bucket>[a-z0-9._-]+)(?:/(?P<prefix>[^?#\0]*))?|file://(?P<folder>/[^?#\0]*)")
_TYPES = {"json": "application/json", "txt": "text/plain; charset=utf-8"}
_PERMISSION = "storage.objects.create"
_REMEDY = "give gs://BUCKET/PREFIX, or file:///FOLDER for local use"


class EvidenceStore:
    """`ports.Evidence` on one bucket or folder."""

    def __init__(self, url: str, *, endpoint: str = "") -> None:
        """Check the address; a folder is made where missing. Raises SettingsError `evidence_unusable`.

        `endpoint` is another server with Google Cloud Storage's API, called without credentials: for tests.
        """
        place = _ADDRESS.fullmatch(url)
        if place is None:
            raise SettingsError("evidence_unusable", f"evidence cannot go to {url!a}: {_REMEDY}")
        self._url = url
        self._endpoint = endpoint
        self._bucket = place["bucket"]
        self._prefix = place["prefix"]
        self._folder = _made_folder(Path(unquote(place["folder"]))) if place["folder"] else None

    def put(self, name: str, content: bytes) -> bool:
        """Store a new object; False if one of that name is there already (it is left as it is).

        Raises ApiError `invalid_name`, `evidence_forbidden` or `evidence_unavailable`.
        """
        if not _NAME.fullmatch(name) or not all(part.strip(".") for part in name.split("/")):
            raise ApiError(Reason.INVALID_NAME, f"not a name for an evidence object: {name[:80]!a}")
        try:
            self._store.put(name, content, mode="create", attributes=self._attributes(name))
        # The client's errors share no class with the built-in ones that it raises too.
        except Exception as error:
            failure = _failure(error, self._url)
            if failure is None:
                return False
            raise failure from error
        return True

    @cached_property
    def _store(self) -> GCSStore | LocalStore:
        stores = import_module("obstore.store")
        store: GCSStore | LocalStore
        if self._folder:
            store = stores.LocalStore(self._folder)
            return store
        store = stores.GCSStore(
            self._bucket,
            prefix=self._prefix or None,
            client_options={"timeout": timedelta(seconds=15), "allow_http": bool(self._endpoint)},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=15)},
            **({"base_url": self._endpoint, "bearer_token": "none"} if self._endpoint else {}),
        )
        return store

    def _attributes(self, name: str) -> dict[str, str] | None:
        """Headers that keep a browser from showing evidence as a page. A folder has none."""
        if self._folder:
            return None
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        return {"Content-Type": kind, "Content-Disposition": "attachment"}


def _made_folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError("evidence_unusable", f"evidence cannot go to {path} ({error}): {_REMEDY}") from error
    return path


def _failure(error: Exception, url: str) -> ApiError | None:
    """What an error of the client means; None for an object that is there already."""
    kind = type(error).__name__
    if kind in {"AlreadyExistsError", "PreconditionError"}:
        return None
    message = f"{url}: {kind}"
    if kind in {"PermissionDeniedError", "UnauthenticatedError"} or isinstance(error, PermissionError):
        status = 401 if kind == "UnauthenticatedError" else 403
        return ApiError(Reason.EVIDENCE_FORBIDDEN, message, status=status, permission=_PERMISSION)
    return ApiError(Reason.EVIDENCE_UNAVAILABLE, message, status=404 if isinstance(error, FileNotFoundError) else 0)
