"""Label selectors of Kubernetes objects: which labels they match. Pure. Source: meta/v1 LabelSelector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scc_responder.domain.kubernetes.network_policies.certainty import Certainty, matches_labels


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether the selector matches. An empty one matches everything, none at all nothing.

    >>> selects({"matchLabels": {"app": "web"}}, {"app": "web", "tier": "front"})
    True
    """
    return selector is not None and matches_labels(selector, labels) is not Certainty.NO
