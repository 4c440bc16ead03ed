"""Source `image`."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.collect.image_names import image_place
from scc_responder.domain.changes.inspect_container import INSPECTS_CONTAINER
from scc_responder.domain.context import Context
from scc_responder.domain.permissions import iam
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import EvidenceItem, Moment, NotPossible, SourceInput, source

DEFAULT_ARCHITECTURE = "amd64"


@source(
    moment=Moment.BEFORE_DELETION,
    permissions=iam("artifactregistry.repositories.downloadArtifacts"),
    deadline_seconds=5.0,
    asked_by=INSPECTS_CONTAINER,
)
def image(given: SourceInput) -> Sequence[EvidenceItem]:
    """The manifest of the container's image, and its configuration, with when and how each layer was made."""
    registry = given.registry
    if registry is None:
        raise NotPossible(Reason.NO_IMAGE_REPOSITORIES)
    pod = given.context.pod
    ids = [item.image_id for item in pod.containers if item.name == given.container] if pod else []
    place = image_place(ids[0]) if ids else None
    if place is None or place.repository not in registry.repositories:
        raise NotPossible(Reason.IMAGE_NOT_LISTED)
    documents = registry.image(place.host, place.name, place.digest, architecture_of(given.context))
    return (EvidenceItem(kind="Image", title=f"{place.host}/{place.name}@{place.digest}", content=documents),)


def architecture_of(context: Context) -> str:
    """The architecture of the pod's node, as images name it."""
    node = context.objects.get("node") or {}
    info = (node.get("status") or {}).get("nodeInfo") or {}
    return str(info.get("architecture") or DEFAULT_ARCHITECTURE)
