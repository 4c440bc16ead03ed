"""The stored objects and the rules of changing them: versions, preconditions, finalizers, graceful deletion, dry run.

Source: k8s.io/apiserver/pkg/registry/generic/registry and registry/rest; k8s.io/kubernetes/pkg/registry/core/pod.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from scc_responder.domain.ports import ApiObject
from scc_responder.domain.value import read_json
from scc_responder.workbench.policies.merge_patch import merge_patch
from scc_responder.workbench.simulated_cluster.server import refusal, validation
from scc_responder.workbench.simulated_cluster.server.pages import paged
from scc_responder.workbench.simulated_cluster.server.resources import BY_KIND, RequestTarget

Admission = Callable[[RequestTarget, ApiObject, ApiObject], str]
"""Called with the target, the stored object and what an update would make of it; a text refuses the update."""

_SUFFIX_LENGTH = 5
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def admit_all(target: RequestTarget, stored: ApiObject, new: ApiObject) -> str:  # noqa: ARG001 - an `Admission`
    """The admission of a cluster without policies."""
    return ""


class Objects:
    """All objects of the cluster. Not safe for several threads: the server takes one request at a time.

    Every method takes and returns copies, and raises Refusal as the API server would.
    """

    def __init__(self, clock: Callable[[], datetime] = now, admission: Admission = admit_all) -> None:
        self._clock = clock
        self._admission = admission
        self._objects: dict[tuple[str, str, str], ApiObject] = {}
        self.version = 1
        """Changes with every write."""

    def of_kind(self, kind: str, namespace: str = "") -> list[ApiObject]:
        """Objects of one kind, of one namespace or of all."""
        return [*map(_copied, self.stored(kind, namespace))]

    def stored(self, kind: str, namespace: str = "") -> list[ApiObject]:
        """The same as `of_kind`, not copied: only to be read."""
        found = [key for key in self._objects if key[0] == kind and namespace in {"", key[1]}]
        return [self._objects[key] for key in sorted(found)]

    def get(self, target: RequestTarget) -> ApiObject:
        """One object."""
        stored = self._objects.get(target.key)
        if stored is None:
            raise refusal.not_found(target)
        return _copied(stored)

    def list(
        self, target: RequestTarget, fields: str = "", labels: str = "", limit: str = "", after: str = ""
    ) -> ApiObject:
        """The list object of a collection, narrowed by selectors: of fields `a=b,c=d`, of labels also `a` and `!a`.

        `limit` and `after` are those of `paged`.
        """
        items = self.stored(target.resource.kind, target.namespace)
        wanted = [(path.split("."), value) for path, value in _terms(fields)]
        matching = [
            item
            for item in items
            if all(_field(item, path) == value for path, value in wanted)
            and _has_labels(labels, item["metadata"].get("labels", {}))
        ]
        kind, version = f"{target.resource.kind}List", target.resource.api_version
        metadata = {"resourceVersion": str(self.version)}
        whole = {"kind": kind, "apiVersion": version, "metadata": metadata, "items": matching}
        return _copied(paged(whole, limit, after))

    def create(self, target: RequestTarget, body: ApiObject, *, dry_run: bool = False) -> ApiObject:
        """Store a new object under the name, or with the `generateName`, that its metadata says."""
        validation.check_type(target, body)
        new = _copied(body)
        metadata = new["metadata"]
        if "name" not in metadata and "generateName" in metadata:
            metadata["name"] = metadata["generateName"] + suffix()
        target = target.named(str(metadata.get("name", "")))
        self._check_namespace(target)
        metadata |= {"namespace": target.namespace} if target.namespace else {}
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": kubernetes_time(self._clock())}
        validation.check(target, None, new)
        if target.key in self._objects:
            raise refusal.already_exists(target)
        return self._store(target, new, dry_run=dry_run)

    def patch(self, target: RequestTarget, body: ApiObject, *, dry_run: bool = False) -> ApiObject:
        """JSON merge patch (RFC 7386). A `resourceVersion` or `uid` in it is a condition."""
        stored = self.get(target)
        new = merge_patch(stored, body)
        if not isinstance(new.get("metadata"), dict):
            raise refusal.bad_request("the patch removes the metadata")
        if new["metadata"].get("resourceVersion") != stored["metadata"]["resourceVersion"]:
            raise refusal.modified(target)
        validation.check(target, stored, new)
        return self.admit(target, stored, new, dry_run=dry_run)

    def admit(self, target: RequestTarget, stored: ApiObject, new: ApiObject, *, dry_run: bool = False) -> ApiObject:
        """Store what an update made of an object, unless admission refuses it."""
        why = self._admission(target, stored, new)
        if why:
            raise refusal.forbidden(target, "", "patch", why)
        if new == stored:
            return stored
        return self._store(target, new, dry_run=dry_run)

    def delete(self, target: RequestTarget, options: Mapping[str, Any], *, dry_run: bool = False) -> ApiObject:
        """Delete, or mark as terminating while a grace period or a finalizer keeps it. The object or a Status."""
        stored = self.get(target)
        _check_preconditions(target, stored, options.get("preconditions") or {})
        grace = _grace_seconds(stored, options.get("gracePeriodSeconds"))
        doomed = self._doomed(stored, grace)
        if grace or doomed["metadata"].get("finalizers"):
            return stored if doomed == stored else self._store(target, doomed, dry_run=dry_run)
        if not dry_run:
            self.remove(target)
        return doomed if target.resource.kind == "Pod" else _success(target, stored)

    def remove(self, target: RequestTarget) -> None:
        """Take it away at once, as a kubelet does at the end of a grace period."""
        self.version += 1
        del self._objects[target.key]

    def replace(self, new: ApiObject) -> None:
        """Store another state of an existing object, as controllers do with its status."""
        self._store(target_to(new), new)

    def _store(self, target: RequestTarget, new: ApiObject, *, dry_run: bool = False) -> ApiObject:
        metadata = new["metadata"]
        if not dry_run:
            self.version += 1
            metadata["resourceVersion"] = str(self.version)
            self._objects[target.key] = _copied(new)
            if metadata.get("deletionGracePeriodSeconds") == 0 and not metadata.get("finalizers"):
                self.remove(target)
        return new

    def _doomed(self, stored: ApiObject, grace: int) -> ApiObject:
        doomed = _copied(stored)
        metadata = doomed["metadata"]
        if grace < metadata.get("deletionGracePeriodSeconds", grace + 1):
            moment = kubernetes_time(self._clock() + timedelta(seconds=grace))
            metadata |= {"deletionTimestamp": moment, "deletionGracePeriodSeconds": grace}
        return doomed

    def _check_namespace(self, target: RequestTarget) -> None:
        namespace = RequestTarget(resource=BY_KIND["Namespace"], name=target.namespace)
        if target.namespace and namespace.key not in self._objects:
            raise refusal.not_found(namespace)


def _copied(item: ApiObject) -> ApiObject:
    """A copy in a tenth of the time that `copy.deepcopy` takes."""
    return read_json(msgspec.json.encode(item), ApiObject)


def target_to(item: ApiObject) -> RequestTarget:
    """Where a stored object is."""
    metadata = item["metadata"]
    return RequestTarget(resource=BY_KIND[item["kind"]], namespace=metadata.get("namespace", ""), name=metadata["name"])


def kubernetes_time(moment: datetime) -> str:
    """As Kubernetes writes times: whole seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def suffix() -> str:
    """Five letters, as the API server appends them to `generateName`."""
    return "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(_SUFFIX_LENGTH))


def _check_preconditions(target: RequestTarget, stored: ApiObject, wanted: Mapping[str, Any]) -> None:
    for field, label in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if wanted.get(field) not in {None, stored["metadata"][field]}:
            raise refusal.precondition_failed(target, label, str(wanted[field]), stored["metadata"][field])


def _grace_seconds(stored: ApiObject, wanted: int | None) -> int:
    """Only a pod on a node that has not ended takes time to stop."""
    if stored["kind"] != "Pod":
        return 0
    spec = stored.get("spec", {})
    if not spec.get("nodeName") or stored.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return 0
    return int(spec.get("terminationGracePeriodSeconds", 30) if wanted is None else max(wanted, 0))


def _success(target: RequestTarget, stored: ApiObject) -> ApiObject:
    details = {"name": target.name, "kind": target.resource.plural, "uid": stored["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _terms(selector: str) -> Iterator[tuple[str, str]]:
    for term in filter(None, selector.split(",")):
        path, _, value = term.replace("==", "=").partition("=")
        yield path, value


def _has_labels(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether an object of these labels is selected by `a=b`, `a` and `!a`, all of them."""
    for term in filter(None, selector.split(",")):
        key, equals, value = term.lstrip("!").replace("==", "=").partition("=")
        absent = term.startswith("!")
        if (key in labels) is absent or (equals and labels.get(key) != value):
            return False
    return True


def _field(item: Any, path: Sequence[str]) -> str:
    for part in path:
        item = item.get(part, "") if isinstance(item, dict) else ""
    return str(item)
