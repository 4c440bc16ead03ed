"""Cloud Run's Admin API v1 on this machine, as far as it tells the digests of a revision's images.

Source: Cloud Run Admin API v1, `namespaces.revisions.get`.
"""

from __future__ import annotations

import re
from typing import Any

from tests.kits.google.token_server import TokenServer

_ASKED = re.compile(r"/apis/serving\.knative\.dev/v1/namespaces/([a-z0-9.:-]+)/revisions/([a-z0-9-]+)")


class DigestsServer(TokenServer):
    """The server. `revisions` are the documents of revisions, by project and name; `asked` are names.

    Where it is `closed`, nobody may read a revision.
    """

    def __init__(self, token: str = "token-1") -> None:
        super().__init__(token)
        self.revisions: dict[tuple[str, str], dict[str, Any]] = {}
        self.closed = False

    def add(self, revision: str, image_digest: str = "", project: str = "example-project", **containers: str) -> None:
        """Tell the digests of a revision: of its first container, and of each by its name."""
        statuses = [{"name": name, "imageDigest": digest} for name, digest in containers.items()]
        self.revisions[project, revision] = {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Revision",
            "metadata": {"name": revision, "namespace": project},
            "status": {"imageDigest": image_digest, "containerStatuses": statuses, "desiredReplicas": 1},
        }

    def answer(self, target: str) -> tuple[str, int, Any]:
        """The revision, where there is one and somebody may read it."""
        asked = _ASKED.fullmatch(target)
        found = self.revisions.get((asked[1], asked[2])) if asked else None
        status = 403 if self.closed else 200 if found else 404
        return asked[2] if asked else target, status, found or {"error": {"code": 404}}
