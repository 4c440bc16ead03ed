"""The roles of the test cluster's identities: those of a policy with every action, as they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from scc_responder.workbench.needed_permissions import READING, Need, cluster_role, cluster_role_binding, of_all_actions

RESPONDER = "scc-responder"
READER = "scc-responder-reader"


def reading(needs: Iterable[Need]) -> tuple[Need, ...]:
    """The needs without those that change something: for tests of missing permissions."""
    return tuple(need for need in needs if need.verb in READING)


def roles(responder: str, reader: str) -> Sequence[dict[str, Any]]:
    """The responder's role and the reader's, each bound to the user given."""
    needs = of_all_actions()
    return (
        cluster_role(needs, RESPONDER),
        cluster_role_binding(RESPONDER, responder),
        cluster_role(reading(needs), READER),
        cluster_role_binding(READER, reader),
    )
