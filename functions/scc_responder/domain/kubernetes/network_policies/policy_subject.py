"""The pod that policies are judged for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scc_responder.domain.kubernetes.network_policies.certainty import Certainty, matches_labels
from scc_responder.domain.value import Value

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""A label that every namespace has. Its value is the namespace's name."""


class PolicySubject(Value, frozen=True, kw_only=True):
    """A pod as policies select it. `namespace_labels` is None where the namespace could not be read."""

    namespace: str
    labels: dict[str, str]
    namespace_labels: dict[str, str] | None = None
    service_account: str = ""

    @property
    def known_namespace_labels(self) -> dict[str, str]:
        """The namespace's labels, as far as they are known."""
        return {**(self.namespace_labels or {}), NAMESPACE_NAME: self.namespace}

    def may_be_in_namespace(self, _key: str) -> bool:
        """Whether the namespace may have a label that is not among the known ones."""
        return self.namespace_labels is None

    def is_in(self, selector: Mapping[str, Any] | None) -> Certainty:
        """Whether a namespace selector matches."""
        return matches_labels(selector, self.known_namespace_labels, self.may_be_in_namespace)

    def is_selected(self, selector: Mapping[str, Any] | None) -> Certainty:
        """Whether a pod selector matches."""
        return matches_labels(selector, self.labels)
