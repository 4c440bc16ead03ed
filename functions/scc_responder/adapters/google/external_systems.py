"""What Security Command Center shows of a case beside its finding: `ExternalSystem`, through its v2 API."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from scc_responder.adapters.google.access import google_channel, lean_imports
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failure
from scc_responder.adapters.google.security_center import LIST_FINDINGS, service_in, source_in_location
from scc_responder.domain.errors import RejectedMessage
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FindingName

UPDATE = ApiMethod(api=Reason.SCC, permission="securitycenter.findingexternalsystems.update", writes=True)
SYSTEM = "scc-responder"
"""The last part of the resource's name: one for each finding, so nobody else's is written over."""


class ExternalSystems:
    """Writes what one system of ours says of a finding. Connects on first use. `endpoint`: a stand-in, host:port.

    `location`: where the findings are, with data residency. Raises SettingsError for an endpoint elsewhere.
    """

    def __init__(self, *, endpoint: str = "", location: str = "", timeout_seconds: float = 10.0) -> None:
        self._endpoint = google_channel.check_loopback(endpoint, "SCC_RESPONDER_SCC_ENDPOINT") if endpoint else ""
        self._service = service_in(location)
        self._timeout_seconds = timeout_seconds
        self._client: Any = None
        self._opening = threading.Lock()

    def write(self, finding: str, fields: Mapping[str, Any]) -> str:
        """Write the fields (names as in `ExternalSystem`) where they differ from what is there; the resource's name.

        Raises ApiError; RejectedMessage `malformed_finding_name`.
        """
        parsed = FindingName.parse(finding)
        if parsed is None:
            raise RejectedMessage(Reason.MALFORMED_FINDING_NAME)
        path = f"{source_in_location(finding, parsed)}/findings/{parsed.finding_id}"
        client, problems = self._opened(), import_module("google.api_core.exceptions")
        known = self._read(client, problems, finding, parsed)
        name = f"{path}/externalSystems/{SYSTEM}"
        if {field: known.get(field) for field in fields} != fields:
            request = {"external_system": {"name": name, **fields}, "update_mask": {"paths": sorted(fields)}}
            try:
                client.update_external_system(request=request, timeout=self._timeout_seconds, retry=None)
            except problems.GoogleAPICallError as error:
                raise grpc_failure(UPDATE, error) from error
        return name

    def _read(self, client: Any, problems: Any, finding: str, parsed: FindingName) -> dict[str, Any]:
        """The fields as they stand now: the API has no method to get them but the finding's own list."""
        parent = source_in_location(finding, parsed)
        filter_ = f'name="{parent}/findings/{parsed.finding_id}"'
        request = {"parent": parent, "filter": filter_, "page_size": 1}
        try:
            answer = client.list_findings(request=request, timeout=self._timeout_seconds, retry=None)
            found = next(iter(next(iter(answer.pages)).list_findings_results), None)
        except problems.GoogleAPICallError as error:
            raise grpc_failure(LIST_FINDINGS, error) from error
        systems = found.finding.external_systems if found else {}
        ours = next((system for name, system in systems.items() if name.endswith(f"/{SYSTEM}")), None)
        return {} if ours is None else _fields(ours)

    def _opened(self) -> Any:
        with self._opening:
            if self._client is None:
                self._client = google_channel.client(lean_imports.SECURITY_CENTER, self._service, self._endpoint)
            return self._client

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._opening:
            if self._client is not None:
                self._client.transport.close()
            self._client = None


def _fields(system: Any) -> dict[str, Any]:
    texts = {name: getattr(system, name) for name in ("external_uid", "status", "case_uri", "case_priority")}
    return {**texts, "assignees": list(system.assignees), "case_sla": system.case_sla}
