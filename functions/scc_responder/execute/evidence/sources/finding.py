"""Source `finding`."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from scc_responder.domain.errors import RejectedMessage
from scc_responder.execute.evidence import EvidenceItem, Moment, SourceInput, source
from scc_responder.execute.evidence.canonical_json import canonical_json
from scc_responder.intake.notification import notification_json


@source(moment=Moment.BEFORE_ISOLATION, required=True)
def finding(given: SourceInput) -> Sequence[EvidenceItem]:
    """The finding as it was parsed, and under `texts` as it was notified and as it was read again."""
    found = given.context.finding
    texts = {name: _text(original) for name, original in given.context.texts.items() if original}
    content = {**msgspec.to_builtins(found), "texts": texts} if texts else found
    return (EvidenceItem(kind="finding", title=found.name, content=content),)


def _text(original: Any) -> dict[str, Any]:
    """The text, and the hash and size of its original. What was read again is hashed as JSON with sorted keys."""
    data = original if isinstance(original, bytes) else canonical_json(original)
    return {"sha256": sha256(data).hexdigest(), "size": len(data), "text": _content(original)}


def _content(original: Any) -> Any:
    try:
        return notification_json(original) if isinstance(original, bytes) else original
    except RejectedMessage:
        return original.decode(errors="replace")
