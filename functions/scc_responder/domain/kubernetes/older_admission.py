"""The admission policy of version 0.1.0, where a cluster still has it: it knows older keys, and refuses the new ones.

It is recognised by its own refusal, so a cluster that has this version's is asked nothing more.
"""

from __future__ import annotations

from enum import StrEnum

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason

ADVICE = f"{Reason.ADMISSION_OLDER}: apply terraform/kubernetes of this version"
_ACTS = "scc-responder-acts"


class OlderRule(StrEnum):
    """A rule of version 0.1.0 that refuses what this version does, by its message."""

    ISOLATES_BY_POD_UID = "a NetworkPolicy is named scc-responder-CASE-POD, and labeled with the pod's UID"
    ARMS_BY_ANNOTATION = "a pod is deleted only by name, and only once it carries the annotation scc-responder/armed-by"


def refuses(error: ApiError, rule: OlderRule) -> bool:
    """Whether this rule refused the request."""
    return error.refused_by.startswith(_ACTS) and error.rule == rule
