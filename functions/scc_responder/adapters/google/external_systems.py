"""What Security Command Center shows of a case beside its finding: `ExternalSystem`, through its v2 API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scc_responder.adapters.google.access.grpc_errors import ApiMethod
from scc_responder.adapters.google.security_center import SecurityCenter, by_name, source_in_location
from scc_responder.domain.errors import RejectedMessage
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FindingName

UPDATE = ApiMethod(api=Reason.SCC, permission="securitycenter.findingexternalsystems.update", writes=True)
SYSTEM = "scc-responder"
"""The last part of the resource's name: one for each finding, so nobody else's is written over."""


class ExternalSystems(SecurityCenter):
    """Security Command Center, and what one system of ours says there of a finding."""

    def write(self, finding: str, fields: Mapping[str, Any]) -> str:
        """Write the fields (names as in `ExternalSystem`) where they differ from what is there; the resource's name.

        Raises ApiError; RejectedMessage `malformed_finding_name`.
        """
        parsed = FindingName.parse(finding)
        if parsed is None:
            raise RejectedMessage(Reason.MALFORMED_FINDING_NAME)
        parent = source_in_location(finding, parsed)
        known = self._fields_of(parent, by_name(finding, parsed))
        name = f"{parent}/findings/{parsed.finding_id}/externalSystems/{SYSTEM}"
        if {field: known.get(field) for field in fields} != fields:
            request = {"external_system": {"name": name, **fields}, "update_mask": {"paths": sorted(fields)}}
            self._asked_once(UPDATE, "update_external_system", request=request)
        return name

    def _fields_of(self, parent: str, filter_: str) -> dict[str, Any]:
        """The fields as they stand now: the API has no method to get them but the finding's own list."""
        found = next(self._list(parent, filter_, page_size=1), None)
        systems = found.finding.external_systems if found else {}
        ours = next((system for name, system in systems.items() if name.endswith(f"/{SYSTEM}")), None)
        return {} if ours is None else _fields(ours)


def _fields(system: Any) -> dict[str, Any]:
    texts = {name: getattr(system, name) for name in ("external_uid", "status", "case_uri", "case_priority")}
    return {**texts, "assignees": list(system.assignees), "case_sla": system.case_sla}
