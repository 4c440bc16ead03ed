"""A registry of images on this machine, as Artifact Registry is one: pushed to and pulled from with a bearer token.

Blobs are given by a redirect to another path, which takes no token, as Artifact Registry gives them.
Source: OCI distribution specification 1.1, "Pull" and "Push".
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
DOWNLOADS = "/artifacts-downloads/"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ASKED = re.compile(r"/v2/(?P<name>[a-z0-9._/-]+?)/(?P<kind>manifests|blobs)/(?P<which>[A-Za-z0-9._:/-]+)")


def sources_digest(content: bytes) -> str:
    """What names these bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class ImageRegistry:
    """The registry. `host` is 127.0.0.1 and its port; `token` is what it wants.

    `blobs` and `manifests` are what it holds, by name and digest or tag, manifests with their type. `asked` are the
    requests, each with whether it had a token. `answers` are statuses that the next requests get, one each; `redirect`,
    where set, is where blobs are said to be, `uploads` the host that they are to be sent to. `swapped` bytes are given
    in the place of what has this digest.
    """

    def __init__(self, token: str = "token-1") -> None:
        self.token = token
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.asked: list[tuple[str, str, bool]] = []
        self.answers: list[int] = []
        self.redirect = ""
        self.uploads = ""
        self.swapped: dict[str, bytes] = {}
        handler = type("Handler", (_Handler,), {"registry": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"

    def add_image(self, name: str, config: dict[str, Any], *, platforms: int = 1) -> str:
        """Hold an image with this configuration, as an index where it has several platforms. Returns its digest."""
        entries = [
            self._add_manifest(name, {**config, "architecture": each}) for each in ("amd64", "arm64")[:platforms]
        ]
        if platforms == 1:
            return str(entries[0]["digest"])
        return self._hold(name, INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})

    def _add_manifest(self, name: str, config: dict[str, Any]) -> dict[str, Any]:
        content = json.dumps(config).encode()
        self.blobs[name, sources_digest(content)] = content
        part = {"mediaType": CONFIG, "digest": sources_digest(content), "size": len(content)}
        digest = self._hold(name, MANIFEST, {"schemaVersion": 2, "mediaType": MANIFEST, "config": part, "layers": []})
        platform = {"architecture": config["architecture"], "os": "linux"}
        return {"mediaType": MANIFEST, "digest": digest, "platform": platform}

    def _hold(self, name: str, kind: str, document: dict[str, Any]) -> str:
        content = json.dumps(document).encode()
        self.manifests[name, sources_digest(content)] = (kind, content)
        return sources_digest(content)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    registry: ClassVar[ImageRegistry]

    def do_HEAD(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in http.server
        """Say nothing."""

    def _serve(self) -> None:
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = self.headers.get("Authorization", "")
        self.registry.asked.append((self.command, path, bool(given)))
        if self.registry.answers and (status := self.registry.answers.pop(0)):
            return self._answer(status, b'{"errors":[{"code":"DENIED"}]}')
        if path.startswith(DOWNLOADS):
            return self._download(path, has_token=bool(given))
        if given != f"Bearer {self.registry.token}":
            return self._answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}')
        asked = _ASKED.fullmatch(path)
        if asked is None:
            return self._answer(404)
        if self.command in {"POST", "PUT"}:
            return self._pushed(asked, body)
        return self._pulled(asked)

    def _pulled(self, asked: re.Match[str]) -> None:
        key = (asked["name"], asked["which"])
        if asked["kind"] == "manifests":
            kind, content = self.registry.manifests.get(key, ("", b""))
            content = self.registry.swapped.get(asked["which"], content)
            return self._answer(200 if kind else 404, content, {"Content-Type": kind} if kind else {})
        if key not in self.registry.blobs:
            return self._answer(404)
        if self.command == "HEAD":
            return self._answer(200, self.registry.blobs[key])
        place = self.registry.redirect or f"{DOWNLOADS}{asked['name']}/{asked['which']}"
        return self._answer(302, headers={"Location": place})

    def _download(self, path: str, *, has_token: bool) -> None:
        name, _, digest = path.removeprefix(DOWNLOADS).rpartition("/")
        content = self.registry.swapped.get(digest, self.registry.blobs.get((name, digest), b""))
        self._answer(400 if has_token else 200, content)

    def _pushed(self, asked: re.Match[str], body: bytes) -> None:
        name, which = asked["name"], asked["which"]
        if self.command == "POST":
            return self._answer(202, headers={"Location": f"{self.registry.uploads}/v2/{name}/blobs/uploads/1?state=a"})
        if asked["kind"] == "manifests":
            return self._manifest(name, which, body)
        digest = self.path.partition("digest=")[2]
        if "state=a" not in self.path or digest != sources_digest(body):
            return self._answer(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
        self.registry.blobs[name, digest] = body
        return self._answer(201)

    def _manifest(self, name: str, which: str, body: bytes) -> None:
        document = json.loads(body)
        held = {digest for of, digest in (*self.registry.blobs, *self.registry.manifests) if of == name}
        parts = [*document.get("manifests", ()), *document.get("layers", ()), document.get("config", {})]
        named = {part["digest"] for part in parts if part}
        is_named_so = not _DIGEST.fullmatch(which) or which == sources_digest(body)
        if not (named <= held and is_named_so and document["mediaType"] == self.headers["Content-Type"]):
            return self._answer(400, b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}')
        for key in (which, sources_digest(body)):
            self.registry.manifests[name, key] = (document["mediaType"], body)
        return self._answer(201)

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
