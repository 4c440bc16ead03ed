"""Facts about a pod that cost a request of their own: read only where a policy's `condition` names them."""

from __future__ import annotations

from enum import StrEnum

from scc_responder.domain.value import Value


class AskedFact(StrEnum):
    """One of these facts, by the name that a `condition` has for it."""

    LIVE_WORKLOAD = "live.workload"
    LIVE_BUDGETS = "live.budgets"
    WORKLOAD_OBJECT = "workload_object"
    GOOGLE_IDENTITY = "google_identity"

    @property
    def key(self) -> str:
        """Under which `Context.missing` says why it could not be read.

        >>> AskedFact.LIVE_BUDGETS.key, AskedFact.GOOGLE_IDENTITY.key
        ('budgets', 'google_identity')
        """
        return str(self).rpartition(".")[2]


class WorkloadObject(Value, frozen=True, kw_only=True):
    """The topmost owner of a pod as it was read: a workload kind of Kubernetes itself, such as a Deployment."""

    kind: str
    name: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
