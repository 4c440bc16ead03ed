"""The same measurements as production has it: the shipped pack, raised to `enforce`, and the journal in Firestore."""

from __future__ import annotations

import copy
from typing import Any

from tests.bench.cold import cold
from tests.bench.rig import GUARDRAILS, Rig
from tests.bench.warm import warm
from tests.cluster.kubelet import LogKubelet
from tests.findings import push_body
from tests.kits.google.firestore import FirestoreEmulator, running
from tests.kits.google.firestore_faults import FaultyFirestore
from tests.kits.responder import ALL, turn
from tests.rehearsal.zipped import raised

MOST_WRITES = 2 * len(ALL) + 4
"""Of the store, for a finding that leads to every action."""


def on_firestore(rig: Rig, rounds: int) -> dict[str, Any]:
    """`firestore_cold_ready`, `firestore_cold_contained`, `firestore_warm`, and `store_writes` of one finding."""
    with running() as emulator, LogKubelet(rig.plane) as kubelet:
        pack = _with_pack(rig)
        pack.kubelet = kubelet
        _keep_journals_in(pack, emulator.host)
        figures = cold(pack, rounds)
        with pack.served() as function:
            figures |= warm(pack, function, rounds)
        named = {f"firestore_{name}": figures[name] for name in ("cold_ready", "cold_contained", "warm")}
        return {**named, "store_writes": store_writes(pack, emulator)}


def store_writes(pack: Rig, emulator: FirestoreEmulator) -> int:
    """Writes that Firestore was asked for by one finding that leads to every action."""
    with FaultyFirestore(emulator.host) as counting:
        _keep_journals_in(pack, counting.host)
        with pack.served() as function:
            document = pack.victims(1)[0]
            counting.play({})
            status, _ = function.post(push_body(document))
            assert status == 204
            return counting.calls.count("Commit")


def _with_pack(rig: Rig) -> Rig:
    pack = copy.copy(rig)
    target = rig.folder / "pack"
    target.mkdir()
    pack.function = raised(target, GUARDRAILS)
    pack.golden = "modified_malicious_library_loaded"
    return pack


def _keep_journals_in(pack: Rig, host: str) -> None:
    def journal(number: int) -> dict[str, str]:
        address = f"firestore://example-project/(default)/bench-{number}"
        turn(address, emulator=host)
        return {"SCC_RESPONDER_STORE": address, "FIRESTORE_EMULATOR_HOST": host}

    pack.journal = journal  # type: ignore[method-assign]
