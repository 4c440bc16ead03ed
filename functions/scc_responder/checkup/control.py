"""The kill switch, everywhere and in some clusters, against what the policies would do without it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from scc_responder.checkup.check import Check, failed, fault, ok
from scc_responder.errors import StoreError
from scc_responder.finding import ClusterRef
from scc_responder.mode import Mode, furthest
from scc_responder.policy import PolicySet
from scc_responder.ports import CasStore

CONTROL = "control/global"
OF_CLUSTERS = "control/cluster/"
_MOST = 500
_NAME = "control"


class _Document(msgspec.Struct):
    """As much of the kill switch's document as is looked at."""

    mode: Mode
    reason: str = ""
    by: str = ""
    cluster: str = ""


def examine_control(store: CasStore, policies: PolicySet | None) -> Iterator[Check]:
    """Every document that lets policies go less far than they say."""
    modes = [policy.mode for policy in policies.policies] if policies else []
    wanted = max(modes, key=list(Mode).index, default=Mode.DRY_RUN)
    try:
        entry = store.get(CONTROL)
        own = store.scan(OF_CLUSTERS, limit=_MOST).entries
    except StoreError as error:
        yield failed(_NAME, CONTROL, error, "scc-responder control show --store STORE")
        return
    yield _judged(CONTROL, entry.value if entry else None, wanted)
    judged = (_judged(item.key, item.value, wanted) for item in own)
    yield from (check for check in judged if check.reason)


def _judged(key: str, value: bytes | None, wanted: Mode) -> Check:
    mend = f'scc-responder control set {wanted} --reason "WHY" --store STORE'
    if value is None:
        return _against(key, wanted, _Document(mode=Mode.DRY_RUN), "control_missing", mend)
    try:
        found = msgspec.json.decode(value, type=_Document)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        why = "the kill switch's document makes no sense, which means dry_run"
        return fault(_NAME, key, "control_unusable", why, f"{mend}{' --cluster CLUSTER' if key != CONTROL else ''}")
    ref = ClusterRef.parse(found.cluster)
    reason = "control_disabled" if found.mode is Mode.DISABLED else "control_lowers"
    return _against(key, wanted, found, reason, f"{mend} --cluster {ref.path}" if ref else mend)


def _against(key: str, wanted: Mode, found: _Document, reason: str, mend: str) -> Check:
    missing = "" if reason != "control_missing" else "no document, which means "
    place = f" in {found.cluster}" if found.cluster else ""
    told = f"{missing}{found.mode}{place}" + (f": {found.reason} ({found.by})" if found.by else "")
    if furthest(wanted, found.mode) == wanted:
        return ok(_NAME, key, told)
    return fault(_NAME, key, reason, f"policies go as far as {wanted}; the kill switch says {told}", mend)
