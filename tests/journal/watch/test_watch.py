"""What a look says in one line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.journal.watch.watch import Look, LookNote, Replacement

SAID = {
    "as it was left": {},
    "not seen: timeout": {"unread": "timeout"},
    "others took away isolate_pod: label_removed, cordon_node: uncordoned": {
        "gone": ("isolate_pod: label_removed", "cordon_node: uncordoned")
    },
    "as it was left; web-2: deployed_since, gets 5 %; job: started_again; no instance runs": {
        "noted": (
            LookNote(about="web-2", reason="deployed_since", detail="gets 5 %"),
            LookNote(about="job", reason="started_again"),
        ),
        "instances": 0,
    },
    "as it was left; no replacement": {"replacement": Replacement()},
    "as it was left; replacement web-2 ready, from sha256:1, sha256:2": {
        "replacement": Replacement(name="web-2", ready=True, digests=("sha256:1", "sha256:2"))
    },
    "as it was left; replacement web-2 not ready, from sha256:1, the finding's own image": {
        "replacement": Replacement(name="web-2", digests=("sha256:1",), same_image=True)
    },
    "as it was left; replacement web-2 not ready": {"replacement": Replacement(name="web-2")},
    "as it was left; same threat beside it: a, b; same image elsewhere: c": {
        "same_threat": ("a", "b"),
        "same_image": ("c",),
    },
}


@pytest.mark.parametrize(("said", "fields"), SAID.items(), ids=SAID)
def test_a_look_says_what_it_saw(said: str, fields: dict[str, Any]) -> None:
    """All that was seen, and nothing that was not."""
    assert Look(at=datetime(2026, 3, 1, tzinfo=UTC), **fields).summary == said
