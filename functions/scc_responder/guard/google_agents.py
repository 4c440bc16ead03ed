"""Google's own agents, which trigger Google's detectors: always protected, whatever policies and guardrails say.

They are recognised by namespace and name together, or by principal: anyone can give a pod any name.
"""

from __future__ import annotations

from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import LatePattern
from scc_responder.domain.wildcards import matches

_OF_GOOGLE = (
    "gmp-system",
    "gke-managed-checkpointing",
    "gke-managed-cim",
    "gke-managed-dpv2-observability",
    "gke-managed-filestorecsi",
    "gke-managed-lustrecsi",
    "gke-managed-metrics-server",
    "gke-managed-networking-dra-driver",
    "gke-managed-parallelstorecsi",
    "gke-managed-system",
    "gke-managed-volumepopulator",
)
"""Each by its name: whoever may make namespaces could make one that a pattern fits, and nothing is done in."""
AGENT_PODS = (
    ("kube-system", "container-watcher*"),
    ("kube-system", "gke-metadata-server*"),
    ("kube-system", "gke-metrics-agent*"),
    ("kube-system", "fluentbit-gke*"),
    ("kube-system", "anetd*"),
    ("kube-system", "pdcsi-node*"),
    ("kube-system", "kube-proxy*"),
    *((namespace, "*") for namespace in _OF_GOOGLE),
)
"""Patterns of namespace and name, which must fit together."""

_AGENT_PRINCIPAL = LatePattern(r"[a-z0-9-]{1,128}@gcp-sa-ktd-hpsa\.iam\.gserviceaccount\.com")


def google_agent(context: Context) -> Reason | None:
    """The named reason if the finding is about one of Google's agents, else None."""
    finding = context.finding
    principals = (finding.principal, finding.principal_subject.removeprefix("serviceAccount:"))
    if any(map(_AGENT_PRINCIPAL.fullmatch, principals)):
        return Reason.GOOGLE_AGENT_PRINCIPAL
    for pod in finding.pods:
        if any(matches(space, pod.namespace) and matches(name, pod.name) for space, name in AGENT_PODS):
            return Reason.GOOGLE_AGENT_POD
    return None
