"""Entries of Cloud Logging as evidence, and what they say in a few words. Pure but for the one request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from scc_responder.domain.ports import CloudLogs
from scc_responder.domain.text import LatePattern, visible
from scc_responder.execute.evidence import EvidenceItem
from scc_responder.execute.evidence.canonical_json import canonical_json
from scc_responder.execute.evidence.log_filters import LogQuery

MOST_ENTRIES = 1000
"""Of one request: the most that the API gives at once."""

MOST_BYTES = 4 * 1024 * 1024
_NAME_LENGTH = 100
_ENTERS = ("exec", "attach", "portforward")
_CHANGES = ("create", "patch", "update", "delete")
_DEPLOYS = LatePattern(r"(Create|Update|Replace|Delete)(?:Service|Job)|(SetIamPolicy)")
"""The methods of Cloud Run that change a service or job."""
_AS_CHANGES = {
    "Create": "create",
    "Update": "update",
    "Replace": "update",
    "Delete": "delete",
    "SetIamPolicy": "update",
}
_OF_CLOUD_RUN = {"services": "service", "jobs": "job"}


def ask_logs(logs: CloudLogs, project: str, query: LogQuery, names: LogNames) -> EvidenceItem:
    """What Cloud Logging answers to one question, the newest entries first. Raises ApiError."""
    entries, has_more = logs.entries(project, query.filter, MOST_ENTRIES)
    kept = [*_within(entries)]
    content = {
        "filter": query.filter,
        "entries": kept,
        "left_out": len(entries) - len(kept),
        "there_may_be_more": has_more,
    }
    said = names.said_by_audit(kept) if query.name == "who" else names.said_by_lines(kept)
    return EvidenceItem(kind="log entries", title=query.name, content=content, is_empty=not kept, summary=said)


class LogNames:
    """What a case's entries are about: the pod's name first among `resources`, and its `identities`."""

    def __init__(self, resources: Sequence[str], identities: Sequence[str]) -> None:
        self._resources = tuple(resources)
        self._identities = tuple(identities)

    def said_by_audit(self, entries: Iterable[Mapping[str, Any]]) -> str:
        """Who entered the pod, who changed its workload last, and what its identity did; by exact names alone."""
        calls = [entry["protoPayload"] | {"at": _minute(entry)} for entry in entries if "protoPayload" in entry]
        entered = [f"{way} by {_who(call)} {call['at']}" for call in calls for way in self._ways(call)]
        changed = [f"{what} by {_who(call)} {call['at']}" for call in calls for what in self._changed(call)]
        own = sum(self._is_own(call) for call in calls)
        said = f"{own} calls of the {self._what}'s identity" if own else f"no call of the {self._what}'s identity"
        return ", ".join([*entered[:3], *changed[:2], *([said] if self._identities else [])])

    def said_by_lines(self, entries: Iterable[Mapping[str, Any]]) -> str:
        """How many entries there are of containers, and of the node."""
        kinds = [entry.get("resource", {}).get("type") for entry in entries]
        if self._what != "pod":
            return f"{len(kinds)} entries of the {self._what}"
        of_pod = kinds.count("k8s_container")
        return f"{of_pod} entries of the pod, {len(kinds) - of_pod} of its node"

    @property
    def _what(self) -> str:
        """What the entries are about, in a word."""
        return _OF_CLOUD_RUN.get(self._resources[1].partition("/")[0], "pod") if len(self._resources) > 1 else "pod"

    def _ways(self, call: Mapping[str, Any]) -> Iterator[str]:
        name = str(call.get("resourceName", ""))
        entered = self._resources[0] if self._resources else ""
        return (way for way in _ENTERS if entered and name.endswith(f"/{entered}/{way}"))

    def _changed(self, call: Mapping[str, Any]) -> Iterator[str]:
        name, verb = str(call.get("resourceName", "")), _verb(str(call.get("methodName", "")).rpartition(".")[2])
        if verb in _CHANGES and any(name.endswith(f"/{owner}") for owner in self._resources[1:]):
            yield f"{verb} of {'/'.join(name.split('/')[-2:])}"

    def _is_own(self, call: Mapping[str, Any]) -> bool:
        who = call.get("authenticationInfo", {})
        subject = str(who.get("principalSubject", ""))
        return bool(self._identities) and (
            who.get("principalEmail") == self._identities[0] or subject.endswith(self._identities[1])
        )


def _verb(method: str) -> str:
    """What a method does, in a word of `_CHANGES`: a method of Kubernetes is that word."""
    deploys = _DEPLOYS.fullmatch(method)
    return _AS_CHANGES.get(deploys[1] or deploys[2], "") if deploys else method


def _who(call: Mapping[str, Any]) -> str:
    told = call.get("authenticationInfo", {})
    return visible(str(told.get("principalEmail") or told.get("principalSubject") or "nobody named"), _NAME_LENGTH)


def _minute(entry: Mapping[str, Any]) -> str:
    return str(entry.get("timestamp", ""))[11:16]


def _within(entries: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The first of them, as far as there is room."""
    size = 0
    for entry in entries:
        size += len(canonical_json(entry))
        if size > MOST_BYTES:
            return
        yield entry
