"""Push the collector's image: `python functions/collector_push.py dist/collector HOST/PROJECT/REPOSITORY/IMAGE`.

Pushes an OCI image layout into a repository of Artifact Registry, as whoever `gcloud` is logged in as. What is there
already is not sent again. The image gets a tag of the first digits of its digest: a clean-up of untagged images keeps
it. Source: OCI distribution specification 1.1, "Pushing".
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PLACE = re.compile(
    r"(?P<host>[a-z0-9-]{1,63}-docker\.pkg\.dev|127\.0\.0\.1:[0-9]{1,5})/(?P<name>[a-z0-9][a-z0-9._/-]{0,254})",
    re.ASCII,
)
"""A registry on this machine is for tests: it is asked without TLS."""

TOKEN = ("gcloud", "auth", "print-access-token")
TIMEOUT_SECONDS = 60.0


class PushError(Exception):
    """The image was not pushed, and why."""


class Registry:
    """One image's place in a registry. Every method raises PushError or OSError."""

    def __init__(self, place: str, token: str) -> None:
        parsed = PLACE.fullmatch(place)
        if parsed is None:
            raise PushError(
                f"{place!a} is no REGION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE; a tag or digest is not given"
            )
        self.host, self.name = parsed["host"], parsed["name"]
        self._token = token

    def push(self, folder: Path) -> str:
        """Push the one index of a layout, after all that it names. Returns its digest."""
        (top,) = json.loads((folder / "index.json").read_bytes())["manifests"]
        index = _blob(folder, top["digest"])
        for entry in json.loads(index)["manifests"]:
            manifest = _blob(folder, entry["digest"])
            for part in _parts(json.loads(manifest)):
                self._put_blob(part["digest"], _blob(folder, part["digest"]))
            self._put_manifest(entry["digest"], entry["mediaType"], manifest)
        self._put_manifest(top["digest"].removeprefix("sha256:")[:12], top["mediaType"], index)
        return str(top["digest"])

    def _put_blob(self, digest: str, content: bytes) -> None:
        if self._asked("HEAD", f"/v2/{self.name}/blobs/{digest}", {200, 404})[0] == 200:
            return
        _, place = self._asked("POST", f"/v2/{self.name}/blobs/uploads/", {202})
        parts = urlsplit(place)
        if parts.netloc not in {"", self.host}:
            raise PushError(f"the registry names another host to upload to: {parts.netloc}")
        query = f"{parts.query}&" if parts.query else ""
        path = f"{parts.path}?{query}digest={digest}"
        self._asked("PUT", path, {201}, content, "application/octet-stream")

    def _put_manifest(self, name: str, kind: str, content: bytes) -> None:
        self._asked("PUT", f"/v2/{self.name}/manifests/{name}", {201}, content, kind)

    def _asked(self, method: str, path: str, wanted: set[int], content: bytes = b"", kind: str = "") -> tuple[int, str]:
        """The status and the `Location` of an answer, which is one of the wanted ones."""
        is_here = self.host.startswith("127.")
        open_connection = http.client.HTTPConnection if is_here else http.client.HTTPSConnection
        connection = open_connection(self.host, timeout=TIMEOUT_SECONDS)
        headers = {"Authorization": f"Bearer {self._token}", **({"Content-Type": kind} if kind else {})}
        try:
            connection.request(method, path, content if method != "HEAD" else None, headers)
            answer = connection.getresponse()
            body = answer.read(2000).decode(errors="replace")
        finally:
            connection.close()
        if answer.status not in wanted:
            raise PushError(f"{self.host} answered {answer.status} to {method} {path.partition('?')[0]}: {body[:300]}")
        return answer.status, answer.headers.get("Location", "")


def _parts(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield manifest["config"]
    yield from manifest["layers"]


def _blob(folder: Path, digest: str) -> bytes:
    return (folder / "blobs" / digest.replace(":", "/")).read_bytes()


def access_token() -> str:
    """The token of whoever gcloud is logged in as. Raises PushError."""
    try:
        return subprocess.run(TOKEN, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise PushError(f"no token: {error}; log in with: gcloud auth login") from error


def main(arguments: list[str]) -> int:
    """Push, and print the image with its digest. Returns the exit code."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder, place = arguments
    try:
        digest = Registry(place, access_token()).push(Path(folder))
    except (OSError, ValueError, http.client.HTTPException, PushError) as error:
        print(f"the collector's image was not pushed: {error}", file=sys.stderr)
        return 1
    print(f"{place}@{digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
