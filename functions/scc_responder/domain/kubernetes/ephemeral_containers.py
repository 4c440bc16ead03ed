"""Our ephemeral containers: names, argument forms, security contexts, and the patch that puts one in. Pure.

The admission policy of `terraform/kubernetes` binds us to these forms. An ephemeral container is never changed and
never removed, so a name made of the case puts in each at most once. Source: core/v1 EphemeralContainer.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from scc_responder.domain.ports import ApiObject
from scc_responder.domain.status import FrozenProcess
from scc_responder.domain.value import Value

CONTAINER_PREFIX = "scc-responder-"
MOST_REQUEST_CHARACTERS = 8192
_LEAST_NEEDED = ("args", "libraries", "scripts", "binaries", "pids", "frozen")
_KILL = "KILL"
_CAPABILITIES = ("SYS_PTRACE", "DAC_OVERRIDE", _KILL)
_NET_ADMIN = "NET_ADMIN"
_COPIED = ("seLinuxOptions", "appArmorProfile", "seccompProfile", "capabilities", "allowPrivilegeEscalation")


class Role(StrEnum):
    """What one of our containers is for: the word in its name, and but for `freeze` its first argument."""

    CUT = "cut"
    LOOK = "look"
    FREEZE = "freeze"
    THAW = "thaw"


class Form(Value, frozen=True, kw_only=True):
    """One security context to ask for. `own`: the target's own form, in which an attacker may hide from us."""

    security: dict[str, Any]
    own: bool = False


class InsertedContainer(Value, frozen=True, kw_only=True):
    """One container of ours, to be put into a pod. `target`: whose processes it sees; empty: only its own."""

    name: str
    target: str
    arguments: tuple[str, ...]

    def patch(self, image: str, uid: str, form: Form) -> ApiObject:
        """The strategic merge patch of `pods/ephemeralcontainers`, on condition of the pod's UID.

        The list in it is merged by name: what others have put in stays.
        """
        container: ApiObject = {
            "name": self.name,
            "image": image,
            "args": [*self.arguments],
            "imagePullPolicy": "IfNotPresent",
            "terminationMessagePolicy": "File",
            "securityContext": form.security,
        }
        if self.target:
            container["targetContainerName"] = self.target
        return {"metadata": {"uid": uid}, "spec": {"ephemeralContainers": [container]}}


def together(patches: Sequence[ApiObject]) -> ApiObject:
    """One patch that puts in the containers of several, in their order, which is the one in which they are started."""
    containers = [container for patch in patches for container in patch["spec"]["ephemeralContainers"]]
    return {**patches[0], "spec": {"ephemeralContainers": containers}}


class WantedFile(Value, frozen=True, kw_only=True):
    """A file that the finding names. `sha256` is that of its first `hashed_size` bytes; sizes of 0 are not known."""

    path: str
    sha256: str = ""
    hashed_size: int = 0
    size: int = 0


class LookRequest(Value, frozen=True, kw_only=True):
    """What to look for: the only argument that holds what an attacker wrote, so it is one word of base64.

    `event_time` and `started_at`, of the target container, are RFC 3339, or empty. `frozen`: what is to go on.
    """

    binaries: tuple[WantedFile, ...] = ()
    scripts: tuple[WantedFile, ...] = ()
    libraries: tuple[WantedFile, ...] = ()
    args: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()
    event_time: str = ""
    started_at: str = ""
    frozen: tuple[FrozenProcess, ...] = ()


def container_name(role: Role, case: str) -> str:
    """The name of the container for a case, given by its 12 hex digits.

    >>> container_name(Role.LOOK, "5401ff97f041")
    'scc-responder-look-5401ff97f041'
    """
    return f"{CONTAINER_PREFIX}{role}-{case}"


def cut_arguments(key: str) -> tuple[str, ...]:
    """End every established connection of the pod's network. `key`: the case's public key in base64url.

    >>> cut_arguments("K")
    ('cut', '-key=K')
    """
    return (Role.CUT.value, f"-key={key}")


def look_arguments(key: str, request: str, *, freeze: bool = False, sockets: bool = False) -> tuple[str, ...]:
    """Look at the target's processes; `freeze`: stop those that match; `sockets`: then end their connections.

    >>> look_arguments("K", "R", freeze=True, sockets=True)
    ('look', '-freeze', '-sockets', '-key=K', '-request=R')
    """
    chosen = [flag for flag, asked in (("-freeze", freeze), ("-sockets", sockets)) if asked]
    return (Role.LOOK.value, *chosen, f"-key={key}", f"-request={request}")


def thaw_arguments(key: str, request: str) -> tuple[str, ...]:
    """Let the matched processes run on.

    >>> thaw_arguments("K", "R")
    ('thaw', '-key=K', '-request=R')
    """
    return (Role.THAW.value, f"-key={key}", f"-request={request}")


def request_argument(request: LookRequest) -> str:
    """The request in base64url, at most 8,192 characters: what is least needed is left out until it fits.

    >>> request_argument(LookRequest(pids=(7,)))[:8]
    'eyJiaW5h'
    """
    while len(text := urlsafe_b64encode(msgspec.json.encode(request)).decode().rstrip("=")) > MOST_REQUEST_CHARACTERS:
        field = next(name for name in _LEAST_NEEDED if getattr(request, name))
        request = replace(request, **{field: getattr(request, field)[:-1]})
    return text


def root_form(*, network: bool = False) -> Form:
    """Root, with what it takes to look into and stop any process; `network`: and to end its connections."""
    return _form((*_CAPABILITIES, *((_NET_ADMIN,) if network else ())))


def cut_form() -> Form:
    """Root, with what it takes to end the connections of the pod's network, and nothing else."""
    return _form((_NET_ADMIN,))


def own_form(pod: ApiObject, container: str) -> Form | None:
    """The target's own security context, which passes wherever the target did; None where it is privileged.

    User and group are those that the kubelet reports, as the kernel compares both: an image may set them.
    """
    spec: ApiObject = pod.get("spec", {})
    own = named_item(spec.get("containers"), container).get("securityContext") or {}
    if own.get("privileged"):
        return None
    status = named_item(pod.get("status", {}).get("containerStatuses"), container)
    linux = (status.get("user") or {}).get("linux") or {}
    reported = {field: linux[key] for field, key in (("runAsUser", "uid"), ("runAsGroup", "gid")) if key in linux}
    said = {field: own[field] for field in ("runAsUser", "runAsGroup", "runAsNonRoot", *_COPIED) if field in own}
    return Form(security={**said, **reported, "readOnlyRootFilesystem": True}, own=True)


def look_forms(pod: ApiObject, container: str, *, network: bool = False) -> tuple[Form, ...]:
    """The forms of a container beside that target, the one that sees most first. `network`: see `root_form`."""
    return _and_own(root_form(network=network), pod, container)


def thaw_forms(pod: ApiObject, container: str) -> tuple[Form, ...]:
    """The forms of one that lets processes of that target go on: root that may signal any, then the target's own."""
    return _and_own(_form((_KILL,)), pod, container)


def is_root_form(security: Mapping[str, Any]) -> bool:
    """Whether a security context is one of ours that sees every process, whoever runs it."""
    added = (security.get("capabilities") or {}).get("add") or ()
    return security.get("runAsUser") == 0 and set(_CAPABILITIES) <= set(added)


def ephemeral_of(pod: ApiObject, name: str) -> ApiObject | None:
    """The ephemeral container of that name in the pod's spec; None where none was put in."""
    return named_item(pod.get("spec", {}).get("ephemeralContainers"), name) or None


def ephemeral_status(pod: ApiObject, name: str) -> ApiObject:
    """What the kubelet reports of that ephemeral container; empty before it does."""
    return named_item(pod.get("status", {}).get("ephemeralContainerStatuses"), name)


def named_item(items: list[ApiObject] | None, name: str) -> ApiObject:
    """The container, or the status of one, that has the name; empty where none has."""
    return next((item for item in items or () if item.get("name") == name), {})


def _and_own(root: Form, pod: ApiObject, container: str) -> tuple[Form, ...]:
    own = own_form(pod, container)
    return (root, *((own,) if own else ()))


def _form(capabilities: tuple[str, ...]) -> Form:
    security: Mapping[str, Any] = {
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        "capabilities": {"drop": ["ALL"], "add": [*capabilities]},
    }
    return Form(security=dict(security))
