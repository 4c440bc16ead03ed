"""The responder in a cluster, by the shipped kustomization, of which a test may leave something out."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import yaml

from scc_responder.workbench.doctor.cluster_checks import SWITCH
from scc_responder.workbench.needed_permissions import needed
from tests.admission.installed import Installed
from tests.admission.kustomize import of_kind
from tests.cluster import objects
from tests.cluster.control_plane import ControlPlane
from tests.kits.responder import ALL

NEEDS = tuple(need.permission for need in needed(("", name) for name in ALL) if need.verb)
"""What the policy of a `patient` needs."""


class Member(Installed):
    """One service account in a namespace of its own, which bears the parameter too. It is gone after the block."""

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__(plane, objects.create_namespace(plane.admin))

    def install(self, *, without: str = "", taken: str = "", mode: str | None = "enforce") -> None:
        """Apply it and set the mode, and wait until the API server goes by both.

        `without`: the admission policy that is left out; `taken`: the permission.
        """
        if taken:
            for role in of_kind(self.manifests, "ClusterRole"):
                role["rules"] = list(_less(role["rules"], taken))
        if without:
            self.manifests = [item for item in self.manifests if not item["metadata"]["name"].startswith(without)]
            self.plane.admin.apply(yaml.safe_dump_all(self.manifests))
            self._wait_refused(SWITCH, "email")
        else:
            self.apply()
        self.switch(mode)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()
        self.plane.admin.delete(f"/api/v1/namespaces/{self.namespace}")


def _less(rules: list[dict[str, Any]], taken: str) -> Iterator[dict[str, Any]]:
    """The rules without one permission."""
    for rule in rules:
        for resource in rule["resources"]:
            (group,) = rule["apiGroups"]
            name = f"{resource}.{group}" if group else resource
            verbs = [verb for verb in rule["verbs"] if f"{name}: {verb}" != taken]
            yield {"apiGroups": [group], "resources": [resource], "verbs": verbs}
