"""The IAM permissions that the Terraform module grants only where a variable of its own asks for them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from msgspec.structs import replace

from scc_responder.collect.endpoints import EndpointKind
from scc_responder.collect.read_permissions import ENDPOINT_PERMISSIONS
from scc_responder.domain.changes.capture_evidence import CAPTURES_EVIDENCE
from scc_responder.domain.permissions import ACT_AS, iam, is_run_write, merged
from scc_responder.execute.evidence import sources_for
from scc_responder.workbench.needed_permissions import Need, need_of

SIGNING = iam("cloudkms.cryptoKeyVersions.useToSign")
"""What `adapters/google/kms_signer.py` asks for: adapters are beyond this layer."""

COLLECTOR = iam("logging.sinks.get")
"""What `adapters/google/log_sinks.py` asks for, likewise: whether the collector's log stays out of Cloud Logging."""

EXTERNAL_SYSTEM = iam("securitycenter.findingexternalsystems.update")
CONTACTS = iam("essentialcontacts.contacts.list")
"""What `adapters/google/external_systems.py` asks for, likewise."""

VARIABLES = {"artifactregistry": "image_repositories", "logging": "cloud_logging"}
"""The Terraform variable without which the module grants nothing of a service, whatever policies ask for."""

RUN_READS, RUN_WRITES = "cloud_run_projects", "cloud_run_writes"
"""Likewise of Cloud Run: for what reads, granted to the runtime identity, and for what changes, to another one."""

ACT_AS_WARNING = (
    "Whoever may update a service and act as its identity can run any code as that identity. Nothing grants it here. "
    "Which call needs it is to be tried on a project: give it to the identity that changes Cloud Run, on the identity "
    "of one service, where a change of that service is refused for want of it."
)


def of_connect_gateway() -> tuple[Need, ...]:
    """What Connect Gateway asks for: needed only where this deployment is to use it, whatever the policies are."""
    by: Mapping[str, Iterable[str]] = {"clusters reached by Connect Gateway": ()}
    return tuple(need_of(permission, by) for permission in iam(*ENDPOINT_PERMISSIONS[EndpointKind.CONNECT_GATEWAY]))


def of_signing() -> tuple[Need, ...]:
    """What signing evidence with a key in Cloud KMS asks for: needed only where settings name such a key."""
    return tuple(need_of(permission, {"signing of evidence": ()}) for permission in SIGNING)


def of_collector() -> tuple[Need, ...]:
    """What `doctor` asks for where settings name a collector."""
    return tuple(need_of(permission, {"doctor, of the collector's log": ()}) for permission in COLLECTOR)


def of_external_system() -> tuple[Need, ...]:
    """What showing a case beside its finding asks for: needed only where that notifier is named."""
    return tuple(need_of(permission, {"notifier external_system": ()}) for permission in EXTERNAL_SYSTEM)


def of_essential_contacts() -> tuple[Need, ...]:
    """What telling a project's contacts asks for: needed only where they may be read."""
    return tuple(need_of(permission, {"routes with to_contacts": ()}) for permission in CONTACTS)


def of_cloud_run(service: str = "run") -> tuple[Need, ...]:
    """What evidence of Cloud Run asks of a service of Google's: needed only where services and jobs are to be read."""
    sources = sources_for(CAPTURES_EVIDENCE, of_cloud_run=True)
    asked = merged(*(each.permissions for each in sources if each.of_cloud_run))
    return tuple(need_of(each, {"evidence of Cloud Run": ()}) for each in asked if each.name.startswith(f"{service}."))


def of_cloud_monitoring() -> tuple[Need, ...]:
    """What the number of instances and requests of a service asks for: needed only where it is to be read."""
    return of_cloud_run("monitoring")


ASKED_BY_VARIABLE: Mapping[str, Callable[[], tuple[Need, ...]]] = {
    "cloud_monitoring": of_cloud_monitoring,
    "cloud_run_projects": of_cloud_run,
    "collector_image": of_collector,
    "connect_gateway": of_connect_gateway,
    "essential_contacts": of_essential_contacts,
    "external_system": of_external_system,
    "signing": of_signing,
}
"""What is needed, whatever the policies are, only where a variable of the Terraform module is set; by the variable."""


def always_granted(needs: Iterable[Need]) -> list[Need]:
    """The IAM permissions among the needs that the module grants, whatever its variables say."""
    return [need for need in needs if not need.verb and not variable_of(need.permission)]


def variable_of(permission: str) -> str:
    """The variable without which the module does not grant one of IAM's permissions; empty where it always does."""
    service = permission.partition(".")[0]
    if service == "run":
        return RUN_WRITES if is_run_write(permission) else RUN_READS
    return VARIABLES.get(service, "")


def by_variable(needs: Sequence[Need]) -> dict[str, tuple[Need, ...]]:
    """The IAM permissions that the module grants only where a variable of its own asks for them, by that variable."""
    variables = sorted({*VARIABLES.values(), RUN_READS, RUN_WRITES, *ASKED_BY_VARIABLE})
    of_policies = [need for need in needs if not need.verb]
    return {
        variable: _each_once(
            [need for need in of_policies if variable_of(need.permission) == variable],
            ASKED_BY_VARIABLE.get(variable, tuple)(),
        )
        for variable in variables
    }


def _each_once(*groups: Iterable[Need]) -> tuple[Need, ...]:
    found: dict[str, Need] = {}
    for need in chain(*groups):
        known = found.get(need.permission, need)
        found[need.permission] = replace(known, by={**known.by, **need.by})
    return tuple(found.values())


def acting_as(needs: Iterable[Need]) -> Need | None:
    """What changing a service may ask for besides, on the identity that the service runs as, and for which actions."""
    by = {
        reason: names for need in needs if need.permission == "run.services.update" for reason, names in need.by.items()
    }
    return Need(permission=ACT_AS, by=by) if by else None
