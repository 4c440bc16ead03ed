"""What the responder must be allowed to do, as `kubectl auth can-i` and IAM spell it. Declared, never guessed.

Source: rbac.authorization.k8s.io/v1 PolicyRule; IAM, "Permissions reference".
"""

from __future__ import annotations

from enum import StrEnum

from scc_responder.domain.value import Value


class Tier(StrEnum):
    """Roles that cluster teams can grant one after the other."""

    OBSERVE = "observe"
    """Reads objects."""
    ACT = "act"
    """Changes objects."""
    FORENSIC = "forensic"
    """Looks inside a running container or changes it: exec, ephemeral containers."""


class Permission(Value, frozen=True, kw_only=True):
    """One permission. `name` is a Kubernetes resource (`networkpolicies.networking.k8s.io`) or one of IAM's.

    `verb` and `tier` are those of a Kubernetes permission; one of IAM's has an empty verb and no tier.
    """

    name: str
    verb: str = ""
    tier: Tier | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.verb}" if self.verb else self.name


Permissions = tuple[Permission, ...]

ACT_AS = "iam.serviceAccounts.actAs"
"""What changes of Cloud Run may ask for besides, on the identity that a service runs as."""
GET_ACCESS_TOKEN = "iam.serviceAccounts.getAccessToken"  # noqa: S105 - a permission's name
"""What it takes to act as another service account."""
RUN_OPERATION = "run.operations.get"
"""What it takes to see how a change of Cloud Run ends."""
_RUN_READS = frozenset({"get", "getIamPolicy", "list"})


def observes(resource: str, *verbs: str) -> Permissions:
    """Permissions that read a Kubernetes resource.

    >>> [str(permission) for permission in observes("pods", "get", "list")]
    ['pods: get', 'pods: list']
    """
    return tuple(Permission(name=resource, verb=verb, tier=Tier.OBSERVE) for verb in verbs)


def acts(resource: str, *verbs: str) -> Permissions:
    """Permissions that change a Kubernetes resource."""
    return tuple(Permission(name=resource, verb=verb, tier=Tier.ACT) for verb in verbs)


def forensic(resource: str, *verbs: str) -> Permissions:
    """Permissions that look inside a running container, or change it."""
    return tuple(Permission(name=resource, verb=verb, tier=Tier.FORENSIC) for verb in verbs)


def iam(*names: str) -> Permissions:
    """IAM permissions such as `pubsub.topics.publish`."""
    return tuple(Permission(name=name) for name in names)


def is_run_write(permission: str) -> bool:
    """Whether a permission of IAM's changes Cloud Run or sees a change to its end: the second identity's.

    >>> is_run_write("run.services.update"), is_run_write("run.services.get"), is_run_write("pubsub.topics.publish")
    (True, False, False)
    """
    service, _, rest = permission.partition(".")
    return permission == RUN_OPERATION or (service == "run" and rest.rpartition(".")[2] not in _RUN_READS)


def merged(*groups: Permissions) -> Permissions:
    """Every permission of the groups once, in their order."""
    return tuple(dict.fromkeys(permission for group in groups for permission in group))
