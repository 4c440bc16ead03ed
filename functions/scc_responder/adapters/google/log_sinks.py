"""What the sink `_Default` of a project leaves out. Reads only."""

from __future__ import annotations

from typing import Any

from scc_responder.adapters.google.access import google_channel, lean_imports
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failures
from scc_responder.adapters.google.cloud_logging import LOGGING_SERVICE
from scc_responder.domain.reasons import Reason

GET_SINK = ApiMethod(api=Reason.LOGGING, permission="logging.sinks.get")


class GoogleLogSinks:
    """`collector_checks.LogSinks` over Cloud Logging. `endpoint`: a stand-in on this machine, host:port."""

    def __init__(self, *, endpoint: str = "", timeout_seconds: float = 10.0) -> None:
        name = "SCC_RESPONDER_LOGGING_ENDPOINT"
        self._endpoint = google_channel.check_loopback(endpoint, name) if endpoint else ""
        self._timeout_seconds = timeout_seconds

    def exclusions(self, project: str) -> dict[str, str] | None:
        """The filters of the exclusions that are on, by their names; None where the sink itself is off.

        What the API of exclusions makes is in this sink too. Raises ApiError.
        """
        client = google_channel.client(lean_imports.LOG_SINKS, LOGGING_SERVICE, self._endpoint)
        bounds: dict[str, Any] = {"timeout": self._timeout_seconds, "retry": None}
        try:
            with grpc_failures(GET_SINK):
                sink = client.get_sink(request={"sink_name": f"projects/{project}/sinks/_Default"}, **bounds)
        finally:
            client.transport.close()
        return None if sink.disabled else {each.name: each.filter for each in sink.exclusions if not each.disabled}
