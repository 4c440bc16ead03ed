"""Recognise the shape in which a finding arrives, and take its parts out.

Source: `NotificationMessage` and `ListFindingsResponse` of google/cloud/securitycenter v1 and v2, the console's JSON
tab, and what re-publishers make of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scc_responder.domain.errors import RejectedMessage
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.intake.fields import field, mapping, part, records, text


class FindingParts(Value, frozen=True, kw_only=True):
    """A finding, its resource and its source's own properties, as they came."""

    finding: Mapping[str, Any]
    resource: Mapping[str, Any]
    source: Mapping[str, Any]
    shape: str


def take_apart(document: Mapping[str, Any]) -> FindingParts:
    """The parts of a document that carries exactly one finding.

    Raises RejectedMessage `several_findings`, `log_entry` (a Cloud Logging export) or `not_a_finding`.
    """
    if isinstance(field(document, "listFindingsResults"), list):
        return _list_response(document)
    if isinstance(document.get("finding"), Mapping):
        suffix = "" if _is_notification(document) else "_list_item"
        return _parts(document, document["finding"], suffix)
    if "findings" in document:
        return _console(document)
    if _looks_like_finding(document):
        return _parts(document, document, "_bare")
    raise RejectedMessage(
        Reason.LOG_ENTRY if "jsonPayload" in document and "logName" in document else Reason.NOT_A_FINDING
    )


def _is_notification(document: Mapping[str, Any]) -> bool:
    return field(document, "notificationConfigName") is not None


def _looks_like_finding(document: Mapping[str, Any]) -> bool:
    return "category" in document and "/findings/" in text(document, "name") + text(document, "canonicalName")


def _list_response(document: Mapping[str, Any]) -> FindingParts:
    items = records(field(document, "listFindingsResults"))
    if len(items) > 1:
        raise RejectedMessage(Reason.SEVERAL_FINDINGS)
    if not items or not isinstance(items[0].get("finding"), Mapping):
        raise RejectedMessage(Reason.NOT_A_FINDING)
    return _parts(items[0], items[0]["finding"], "_list_item")


def _console(document: Mapping[str, Any]) -> FindingParts:
    found = document["findings"]
    if isinstance(found, list):
        if len(found) > 1:
            raise RejectedMessage(Reason.SEVERAL_FINDINGS)
        found = found[0] if found else None
    if not isinstance(found, Mapping):
        raise RejectedMessage(Reason.NOT_A_FINDING)
    return _parts(document, found, "_console")


def _parts(document: Mapping[str, Any], finding: Mapping[str, Any], suffix: str) -> FindingParts:
    resource = part(document, "resource") or part(finding, "resource")
    source = part(finding, "sourceProperties") or part(document, "sourceProperties")
    located = "/locations/" in text(finding, "name") or bool(mapping(field(resource, "gcpMetadata")))
    return FindingParts(finding=finding, resource=resource, source=source, shape=("v2" if located else "v1") + suffix)
