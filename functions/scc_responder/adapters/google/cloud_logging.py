"""Entries of Cloud Logging, through its v2 API. Connects on first use."""

from __future__ import annotations

import base64
import threading
from importlib import import_module
from typing import Any

from scc_responder.adapters.google.access import google_channel, lean_imports
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failure
from scc_responder.domain.reasons import Reason

LOGGING_SERVICE = "logging.googleapis.com"
LIST_ENTRIES = ApiMethod(api=Reason.LOGGING, permission="logging.logEntries.list")


class CloudLogging:
    """`ports.CloudLogs` over ListLogEntries. `endpoint`: a stand-in on this machine, host:port.

    Raises SettingsError for any other endpoint. `timeout_seconds` bounds each request; nothing is retried here.
    """

    def __init__(self, *, endpoint: str = "", timeout_seconds: float = 10.0) -> None:
        name = "SCC_RESPONDER_LOGGING_ENDPOINT"
        self._endpoint = google_channel.check_loopback(endpoint, name) if endpoint else ""
        self._timeout_seconds = timeout_seconds
        self._client: Any = None
        self._opening = threading.Lock()

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
        client = self._opened()
        problems: Any = import_module("google.api_core.exceptions")
        try:
            answer = client.list_log_entries(request=request, timeout=self._timeout_seconds, retry=None)
        except problems.GoogleAPICallError as error:
            raise grpc_failure(LIST_ENTRIES, error) from error
        page = next(iter(answer.pages))
        return [entry_json(entry) for entry in page.entries], bool(page.next_page_token)

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._opening:
            if self._client is not None:
                self._client.transport.close()
            self._client = None

    def _opened(self) -> Any:
        with self._opening:
            if self._client is None:
                self._client = google_channel.client(lean_imports.LOGGING, LOGGING_SERVICE, self._endpoint)
            return self._client


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
