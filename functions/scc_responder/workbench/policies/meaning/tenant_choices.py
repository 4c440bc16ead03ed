"""What is left alone by a name or label that an attacker can choose: whoever makes a namespace, a service or a pod."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scc_responder.policy.guardrails import Acceptable, Guardrails
from scc_responder.policy.match import Match, as_tuple
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake


def chosen_by_tenants(exception: Match, path: DocumentPath) -> Iterator[Mistake]:
    """Exceptions that an attacker can walk into: by a name that something new may have, or by a label of the pod."""
    yield from _namespaces(as_tuple(exception.namespace or ()), (*path, "namespace"))
    for pattern in as_tuple(exception.service or ()):
        parts = pattern.split("/")
        of_project = parts[-1] == "*" and len(parts) == 6 and not _is_wild(parts[1])
        if _is_wild(parts[-1]) and not of_project:
            text = f"whoever may deploy a service can name it after {pattern!r}; list the services by their full names"
            yield Mistake(path=(*path, "service"), text=text, reason=Acceptable.SERVICE_WILDCARD)
    if exception.labels:
        text = "whoever makes a pod writes its labels; name the namespace, the workload or the cluster instead"
        yield Mistake(path=(*path, "labels"), text=text, reason=Acceptable.LABEL_OF_THE_POD)


def raised_by_tenants(policy: Policy) -> Iterator[Mistake]:
    """Modes that go further by a label that whoever may change a namespace writes."""
    for index, one in enumerate(policy.modes):
        if one.namespace_labels:
            text = "whoever may change a namespace writes its labels, and lets this policy go further there"
            yield Mistake(
                path=("modes", index, "namespace_labels"),
                text=f"{text}; let an admission policy bind these keys, and say under accepted whose it is",
                reason=Acceptable.LABEL_OF_THE_NAMESPACE,
            )


def protected_by_tenants(rails: Guardrails) -> Iterator[Mistake]:
    """Protected namespaces, and those of a ceiling, that something new can be named after."""
    yield from _namespaces(rails.protected.namespaces, ("protected", "namespaces"))
    for index, ceiling in enumerate(rails.ceilings):
        yield from _namespaces(ceiling.namespaces, ("ceilings", index, "namespaces"))


def _namespaces(patterns: Iterable[str], path: DocumentPath) -> Iterator[Mistake]:
    for pattern in filter(_is_wild, patterns):
        text = f"whoever may make a namespace can name it after {pattern!r}; list the namespaces by their full names"
        yield Mistake(path=path, text=text, reason=Acceptable.NAMESPACE_WILDCARD)


def _is_wild(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern
