"""Findings as they stand now in Security Command Center, through its v2 API.

A finding's text is an attacker's text: of it only names enter a filter, after a strict pattern.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import islice
from typing import Any

from scc_responder.adapters.google.access import lean_imports
from scc_responder.adapters.google.access.google_client import GoogleClient
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failures
from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.errors import ApiError, RejectedMessage
from scc_responder.domain.finding import Finding
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FindingName, NotificationConfig, source_of
from scc_responder.intake import notification
from scc_responder.intake.related_findings import FindingTarget, candidate, finding_target, related_among
from scc_responder.intake.threats import RELATED_WITHIN

SCC_SERVICE = "securitycenter.googleapis.com"
LIST_FINDINGS = ApiMethod(api=Reason.SCC, permission="securitycenter.findings.list")
GET_CONFIG = ApiMethod(api=Reason.SCC, permission="securitycenter.notificationconfig.get")

MAX_PAGES = 5
"""Pages read of one answer. A server may send empty ones, so the first need not be the only one."""

PAGE_SIZE = 1000
"""The most that the API gives at once. Source: `ListFindingsRequest.page_size`."""

ABSENT_FINDING_ID = "sccresponderprobe"
"""An id that no finding has."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SAFE = re.compile(r"[A-Za-z0-9/._-]+", re.ASCII)
_OF_PROJECT = "//cloudresourcemanager.googleapis.com/"
"""How the name of a project begins, which Event Threat Detection gives where it does not name what is in it."""

_RUN_PLURALS = {"service": "services", "job": "jobs", "revision": "revisions", "worker_pool": "workerPools"}


class SecurityCenter(GoogleClient):
    """`ports.Findings` over ListFindings. Connects on first use. `endpoint`: a stand-in on this machine, host:port.

    Raises SettingsError for any other endpoint. `location`: where the findings are, with data residency. `sources`:
    numeric ids of the sources whose findings can be related to others. `timeout_seconds` bounds each request; nothing
    is retried here.
    """

    lean = lean_imports.SECURITY_CENTER
    setting = "SCC_RESPONDER_SCC_ENDPOINT"

    def __init__(
        self, *, sources: Collection[str] = (), endpoint: str = "", location: str = "", timeout_seconds: float = 10.0
    ) -> None:
        super().__init__(endpoint=endpoint, timeout_seconds=timeout_seconds)
        self.service = service_in(location)
        self._location = location or "global"
        self._sources = tuple(sorted(sources))

    def read(self, finding: Finding) -> Mapping[str, Any] | None:
        """The finding as it stands now, or None if there is none of that name.

        Raises RejectedMessage `malformed_finding_name`; ApiError, `other_finding` if the server answers with anything
        but the one finding that was asked for, `partial_list` if it does not come to an end.
        """
        name, parsed = _checked_name(finding)
        items = self._list(source_in_location(name, parsed), by_name(name, parsed), page_size=2, whole=True)
        answer = list(map(_as_json, items))
        if not answer:
            return None
        if len(answer) > 1 or FindingName.parse(answer[0]["finding"].get("name", "")) != parsed:
            raise ApiError(
                Reason.OTHER_FINDING, "Security Command Center answered with more or other than the one finding"
            )
        return answer[0]

    def related(self, finding: Finding) -> Sequence[RelatedFinding]:
        """The related findings as they stand now, oldest first.

        Asks for the active findings of the listed sources within the hour whose resource can be the finding's target,
        and leaves the rest to the rule; for none where the finding has no target. Raises RejectedMessage
        `malformed_finding_name`; ApiError, `partial_list` where the list does not come to an end: what lies behind the
        last page may be the one that counts.
        """
        name, parsed = _checked_name(finding)
        target = finding_target(finding)
        if target is None:
            return ()
        filter_ = _related_to(finding, target, self._sources)
        items = self._list(source_in_location(name, parsed, source="-"), filter_, page_size=PAGE_SIZE, whole=True)
        # To write one as JSON takes a millisecond, and an hour of a cluster may have thousands.
        possible = (item for item in items if not _is_unrelated(item.finding, finding))
        others = map(candidate, _parsed(map(_as_json, possible)))
        return related_among(others, candidate(finding), self._sources)

    def notification_config(self, name: str) -> NotificationConfig:
        """What sends findings, as it stands now, by its full name. Raises ApiError; its status is 404 if it is gone."""
        found = self._asked_once(GET_CONFIG, "get_notification_config", name=name)
        return NotificationConfig(
            name=found.name, pubsub_topic=found.pubsub_topic, filter=found.streaming_config.filter
        )

    def probe(self, source: str) -> None:
        """Ask a source (`organizations/O/sources/S`) for a finding that cannot be there. Raises ApiError."""
        parent = f"{source}/locations/{self._location}"
        list(self._list(parent, f'name="{parent}/findings/{ABSENT_FINDING_ID}"', page_size=1))

    def _list(self, parent: str, filter_: str, *, page_size: int, whole: bool = False) -> Iterator[Any]:
        """The items of ListFindings. `whole`: a part of them is an error."""
        request = {"parent": parent, "filter": filter_, "page_size": page_size}
        client = self._opened()
        with grpc_failures(LIST_FINDINGS):
            answer = client.list_findings(request=request, timeout=self._timeout_seconds, retry=None)
            for page in islice(answer.pages, MAX_PAGES):
                yield from page.list_findings_results
        if whole and answer.next_page_token:
            raise ApiError(Reason.PARTIAL_LIST, f"Security Command Center did not end its answer in {MAX_PAGES} pages")


def service_in(location: str) -> str:
    """The API's host for findings in a location: with data residency, no other answers for them.

    Source: Security Command Center, "Regional endpoints".

    >>> service_in("eu"), service_in("global")
    ('securitycenter.eu.rep.googleapis.com', 'securitycenter.googleapis.com')
    """
    return SCC_SERVICE if location in {"", "global"} else f"securitycenter.{location}.rep.googleapis.com"


def _checked_name(finding: Finding) -> tuple[str, FindingName]:
    name = finding.canonical_name or finding.name
    parsed = FindingName.parse(name)
    if parsed is None:
        raise RejectedMessage(Reason.MALFORMED_FINDING_NAME)
    return name, parsed


def source_in_location(name: str, parsed: FindingName, source: str = "") -> str:
    """The source in the finding's location, as v2 spells it: v1 names carry no location."""
    ancestor = name.partition("/sources/")[0]
    return f"{ancestor}/sources/{source or parsed.source_id}/locations/{parsed.location}"


def by_name(name: str, parsed: FindingName) -> str:
    """The filter that finds nothing but the finding of a name."""
    return f'name="{source_in_location(name, parsed)}/findings/{parsed.finding_id}"'


def _related_to(finding: Finding, target: FindingTarget, sources: Sequence[str]) -> str:
    """Every finding that can be related. Mute and class are for the rule: no documented filter knows them.

    `OR` binds more closely than `AND`, and `:` finds a part of the text. Source: `ListFindingsRequest.filter`.
    """
    first, last = (_milliseconds(finding.event_time + offset) for offset in (-RELATED_WITHIN, RELATED_WITHIN))
    parts = _resource_parts(target)
    either = [_any_has("parent", [f"sources/{source}" for source in sources])]
    either += [_any_has("resource_name", [*parts, _OF_PROJECT])] if parts else []
    return " AND ".join([*either, 'state="ACTIVE"', f"event_time>={first}", f"event_time<={last}"])


def _resource_parts(target: FindingTarget) -> list[str]:
    """What the resource's name contains in each spelling, if it is the target's; nothing where any resource may be.

    A cluster's is `projects/ID-OR-NUMBER/(locations|zones|regions)/LOCATION/clusters/NAME`. No filter knows pods or
    principals.
    """
    place, names = target.place, sorted(target.names)
    cluster = [f"/{place.location}/clusters/{place.cluster}"] if place.cluster else []
    if target.kind in _RUN_PLURALS:
        return [f"/{place.location}/{_RUN_PLURALS[target.kind]}/{name}" for name in names]
    if target.kind == "node":
        return [*(cluster or ["/clusters/"]), *(f"/instances/{name}" for name in names)]
    return cluster


def _any_has(field: str, parts: Sequence[str]) -> str:
    if not all(map(_SAFE.fullmatch, parts)):
        raise RejectedMessage(Reason.MALFORMED_RESOURCE_NAME)
    return "(" + " OR ".join(f'{field}:"{part}"' for part in parts) + ")"


def _is_unrelated(other: Any, finding: Finding) -> bool:
    """Whether a raw finding is of the finding's own threat and source, or names pods and none of the finding's.

    `pods.read_pods` goes by the same fields first.
    """
    if other.category == finding.category and source_of(other.parent) == finding.source_id:
        return True
    named = {(pod.ns, pod.name) for pod in type(other).pb(other).kubernetes.pods if pod.ns and pod.name}
    return bool(finding.pods and named) and named.isdisjoint((pod.namespace, pod.name) for pod in finding.pods)


def _milliseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MILLISECOND


def _as_json(item: Any) -> dict[str, Any]:
    """A ListFindings item as protobuf's JSON: camelCase, 64-bit integers as strings, times as RFC 3339."""
    json_format: Any = import_module("google.protobuf.json_format")
    try:
        return {part: json_format.MessageToDict(type(value).pb(value)) for part, value in _parts(item)}
    except (ValueError, json_format.Error) as error:  # a number that JSON cannot say
        raise ApiError(Reason.UNUSABLE_ANSWER, "a finding cannot be written as JSON") from error


def _parts(item: Any) -> Iterator[tuple[str, Any]]:
    yield "finding", item.finding
    yield "resource", item.resource


def _parsed(items: Iterator[dict[str, Any]]) -> Iterator[Finding]:
    for item in items:
        try:
            yield notification.parse_notification(item)
        except RejectedMessage:
            continue
