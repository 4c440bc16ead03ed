"""First shots that were refused are found on every page of the store."""

from __future__ import annotations

from pathlib import Path

import msgspec

from scc_responder.guard.trust.first_shot import FirstShot, FirstShotState, first_shot_key
from scc_responder.guard.trust.refused_shots import let_policy_act, refused_shots
from tests.guard.test_limiter import Store


def test_every_page_is_looked_through(tmp_path: Path) -> None:
    """Of many documents the refused ones are listed, and let pass one by one."""
    store = Store(tmp_path)
    for number in range(150):
        state = FirstShotState.REFUSED if number % 2 else FirstShotState.WAITING
        shot = FirstShot(place=f"projects/p{number}", policy="contain", content="c", state=state)
        store.create(first_shot_key(shot.place, shot.content), msgspec.json.encode(shot))
    assert len(list(refused_shots(store))) == 75
    assert len(let_policy_act(store, "contain", "projects/p1", "me", "why")) == 1
    assert len(list(refused_shots(store))) == 74
