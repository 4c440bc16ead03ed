"""The limits that no policy can lift, owned by the platform team: `policies/guardrails.yaml`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from scc_responder.documents import read_document
from scc_responder.duration import parse_duration
from scc_responder.errors import PolicyError
from scc_responder.value import StrictValue

FILE_NAME = "guardrails.yaml"


class AllowedKeys(StrictValue, frozen=True, kw_only=True):
    """Label and annotation keys outside our prefix that policies may write; exact keys, no patterns."""

    labels: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()


class MaxFindingAge(StrictValue, frozen=True, kw_only=True):
    """How old a finding may be for an action to follow: `30m`, `24h`."""

    irreversible: str = "30m"
    reversible: str = "24h"

    def limit(self, *, reversible: bool) -> timedelta:
        """The age limit of an action that can, or cannot, be undone."""
        return parse_duration(self.reversible if reversible else self.irreversible)


class Guardrails(StrictValue, frozen=True, kw_only=True):
    """What holds whatever a policy says. `max_mode` is the furthest that any policy can go."""

    protected_namespaces: tuple[str, ...]
    max_mode: str = "enforce"
    allowed_keys: AllowedKeys = AllowedKeys()
    max_finding_age: MaxFindingAge = MaxFindingAge()


NONE_GIVEN = Guardrails(protected_namespaces=("*",), max_mode="dry_run")
"""A missing file allows nothing to be enforced."""

_MODES = ("disabled", "dry_run", "enforce")


def load_guardrails(folder: Path) -> Guardrails:
    """The folder's guardrails; `NONE_GIVEN` where there are none. Raises PolicyError."""
    path = folder / FILE_NAME
    if not path.exists() or not path.read_bytes().strip():
        return NONE_GIVEN
    guardrails = read_document(path, Guardrails)
    if guardrails.max_mode not in _MODES:
        raise PolicyError("invalid_policy", f"{FILE_NAME}: max_mode: expected one of {', '.join(_MODES)}")
    try:
        guardrails.max_finding_age.limit(reversible=True)
        guardrails.max_finding_age.limit(reversible=False)
    except ValueError as error:
        raise PolicyError("invalid_policy", f"{FILE_NAME}: max_finding_age: {error}") from error
    return guardrails
