"""What is known of a control plane: who may call it, and where it is."""

from __future__ import annotations

from pathlib import Path

import msgspec

from scc_responder.domain.value import Value


class Identity(Value, frozen=True, kw_only=True):
    """Who may call the server: the user name that the audit log shows, its groups, its token."""

    user: str
    groups: tuple[str, ...] = ()
    token: str = ""


IDENTITIES = {
    "admin": Identity(user="admin", groups=("system:masters",)),
    "responder": Identity(user="scc-responder@example-project.iam.gserviceaccount.com"),
    "deployed": Identity(user="scc-responder-run@example-project.iam.gserviceaccount.com"),
    "reader": Identity(user="reader@example-project.iam.gserviceaccount.com"),
    "powerless": Identity(user="powerless@example-project.iam.gserviceaccount.com"),
    "controller-manager": Identity(user="system:kube-controller-manager"),
    "kwok": Identity(user="kwok", groups=("system:masters",)),
}
"""`admin` is for fixtures. `reader` may read what the responder reads. `powerless` may do nothing,
and neither may `deployed`, the identity that Terraform makes, before the shipped roles are bound to it."""


class State(Value, frozen=True, kw_only=True):
    """What others need to use a running control plane. Kept as FOLDER/state.json."""

    url: str
    supervisor: int
    ready_seconds: float
    identities: dict[str, Identity]


def read_state(folder: Path) -> State:
    """What the supervisor of `folder` wrote down."""
    return msgspec.json.decode((folder / "state.json").read_bytes(), type=State)
