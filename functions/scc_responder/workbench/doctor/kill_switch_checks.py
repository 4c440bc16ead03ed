"""The kill switch, everywhere and for single projects and clusters, compared with the modes of the policies."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from scc_responder.domain.errors import StoreError
from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore
from scc_responder.guard.kill_switch import GLOBAL, Control
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope
from scc_responder.guard.trust.error_budget import ENVIRONMENTS
from scc_responder.guard.trust.first_shot import FirstShot
from scc_responder.guard.trust.refused_shots import refused_shots
from scc_responder.guard.trust.spend import UNTIL_RAISED
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.doctor.check import OR, THEN, Check, fault, ok, probe_failed

_NAME = "control"


def examine_control(store: CasStore, policies: PolicySet | None) -> Iterator[Check]:
    """The document for everywhere, and of the others each that lets policies go less far than they say."""
    modes = [policy.furthest for policy in policies.policies] if policies else []
    wanted = max(modes, key=list(Mode).index, default=Mode.DRY_RUN)
    try:
        documents = dict(SwitchDocuments(store).documents())
        shots = [shot for _, shot in refused_shots(store)]
    except StoreError as error:
        yield probe_failed(_NAME, GLOBAL, error, "scc-responder control show --store STORE")
        return
    everywhere = documents.get(GLOBAL)
    yield _judged(GLOBAL, documents.pop(GLOBAL), wanted) if GLOBAL in documents else _missing(wanted)
    judged = (_judged(key, control, wanted) for key, control in documents.items())
    yield from (check for check in judged if check.reason)
    yield from map(_first_shot, shots)
    yield from (_lowered(item) for item in everywhere.timed if _is_lasting(item)) if everywhere else ()


def _is_lasting(ceiling: TimedCeiling) -> bool:
    """Whether a spent error budget lowered it, and nobody has raised it since."""
    return ceiling.scope is TimedScope.ERROR_BUDGET and ceiling.until == UNTIL_RAISED


def _first_shot(shot: FirstShot) -> Check:
    why = f"policy {shot.policy} does nothing there that cannot be undone: {shot.detail}"
    fix = f'scc-responder control clear --policy {shot.policy} --reason "WHY" --store STORE{_option(shot.place)}'
    return fault(_NAME, shot.place, Reason.FIRST_SHOT_TOO_WIDE, why, f"edit the policy{OR}{fix}")


def _lowered(item: TimedCeiling) -> Check:
    why = f"policy {item.name} asks a person first there, since {item.at:%Y-%m-%d %H:%M} UTC: {item.reason}"
    fix = f'scc-responder control clear --policy {item.name} --reason "WHY" --store STORE{_option(item.place)}'
    return fault(_NAME, item.place, Reason.ERROR_BUDGET_SPENT, why, f"mend the policy{THEN}{fix}")


def _missing(wanted: Mode) -> Check:
    why = f"there is no document of the kill switch, which means dry_run; policies go as far as {wanted}"
    return fault(_NAME, GLOBAL, Reason.CONTROL_MISSING, why, _turn(wanted))


def _judged(key: str, control: Control | None, wanted: Mode) -> Check:
    if control is None:
        why = "the kill switch's document makes no sense, which means dry_run"
        place = "" if key == GLOBAL else " --cluster CLUSTER, or --project PROJECT"
        return fault(_NAME, key, Reason.CONTROL_UNUSABLE, why, f"{_turn(wanted)}{place}")
    place = f" in {control.cluster}" if control.cluster else ""
    told = f"{control.mode}{place}: {control.reason} ({control.by})"
    if capped(wanted, control.mode) == wanted:
        return ok(_NAME, key, told)
    reason = Reason.CONTROL_DISABLED if control.mode is Mode.DISABLED else "control_lowers"
    why = f"policies go as far as {wanted}; the kill switch says {told}"
    return fault(_NAME, key, reason, why, _turn(wanted, control.cluster))


def _turn(wanted: Mode, cluster: str = "") -> str:
    return f'scc-responder control set {wanted} --reason "WHY" --store STORE{_option(cluster) if cluster else ""}'


def _option(place: str) -> str:
    if place.startswith(ENVIRONMENTS):
        return f" --environment {quote(place.removeprefix(ENVIRONMENTS))}"
    project = place.removeprefix("projects/")
    option = ("--project", project) if "/" not in project else ("--cluster", place)
    return f" {option[0]} {quote(option[1])}"
