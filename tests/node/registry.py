"""`python -m tests.node.registry FOLDER PORT`: a read-only image registry on 127.0.0.1, for pulls by digest.

FOLDER holds OCI layouts, each under the name of its image. They may come while it runs.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = 5000
HOST = f"127.0.0.1:{PORT}"
_PATH = re.compile(r"/v2/(?P<name>[a-z0-9/-]+)/(?P<kind>manifests|blobs)/sha256:(?P<digest>[0-9a-f]{64})")


def content(folder: Path, digest: str) -> bytes | None:
    """What has this digest in an OCI layout: a blob, or the index itself."""
    blob = folder / "blobs" / "sha256" / digest
    if blob.exists():
        return blob.read_bytes()
    index = (folder / "index.json").read_bytes() if (folder / "index.json").exists() else b""
    return index if hashlib.sha256(index).hexdigest() == digest else None


class Registry(BaseHTTPRequestHandler):
    """The two reads of the OCI distribution protocol that a pull by digest needs."""

    protocol_version = "HTTP/1.1"
    folder = Path()

    def do_HEAD(self) -> None:
        """Whether it is there."""
        self.do_GET()

    def do_GET(self) -> None:
        """A manifest or a blob."""
        asked = _PATH.fullmatch(self.path.partition("?")[0])
        body = content(self.folder / asked["name"], asked["digest"]) if asked else None
        self.send_response(200 if body is not None else 404)
        if asked and body is not None:
            kind = json.loads(body)["mediaType"] if asked["kind"] == "manifests" else "application/octet-stream"
            self.send_header("Content-Type", kind)
            self.send_header("Docker-Content-Digest", f"sha256:{asked['digest']}")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body or b"")


if __name__ == "__main__":
    Registry.folder = Path(sys.argv[1])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Registry).serve_forever()
