"""Entries of Cloud Logging, through its v2 API. Connects on first use."""

from __future__ import annotations

import base64
from importlib import import_module
from typing import Any

from scc_responder.adapters.google.access import lean_imports
from scc_responder.adapters.google.access.google_client import GoogleClient
from scc_responder.adapters.google.access.grpc_errors import ApiMethod
from scc_responder.domain.reasons import Reason

LOGGING_SERVICE = "logging.googleapis.com"
LIST_ENTRIES = ApiMethod(api=Reason.LOGGING, permission="logging.logEntries.list")


class CloudLogging(GoogleClient):
    """`ports.CloudLogs` over ListLogEntries. `endpoint`: a stand-in on this machine, host:port.

    Raises SettingsError for any other endpoint. `timeout_seconds` bounds each request; nothing is retried here.
    """

    lean = lean_imports.LOGGING
    service = LOGGING_SERVICE
    setting = "SCC_RESPONDER_LOGGING_ENDPOINT"

    def entries(self, project: str, filter_: str, most: int) -> tuple[list[dict[str, Any]], bool]:
        """The newest entries of a project that a filter chooses, in one request, and whether there may be more.

        Raises ApiError; its status is 429 where the project's quota of requests is used up.
        """
        request = {
            "resource_names": [f"projects/{project}"],
            "filter": filter_,
            "order_by": "timestamp desc",
            "page_size": most,
        }
        answer = self._asked_once(LIST_ENTRIES, "list_log_entries", request=request)
        page = next(iter(answer.pages))
        return [entry_json(entry) for entry in page.entries], bool(page.next_page_token)


def entry_json(entry: Any) -> dict[str, Any]:
    """An entry as protobuf's JSON. A payload of a type that is not known here is kept as base64."""
    json_format: Any = import_module("google.protobuf.json_format")
    import_module("google.cloud.audit.audit_log_pb2")  # by which the payloads of audit logs are known
    message = type(entry).pb(entry)
    try:
        return dict(json_format.MessageToDict(message))
    except (TypeError, ValueError, json_format.Error):
        payload = message.proto_payload
        unread = {"@type": payload.type_url, "value": base64.b64encode(payload.value).decode()}
        message.ClearField("proto_payload")
        return {**json_format.MessageToDict(message), "protoPayload": unread}
