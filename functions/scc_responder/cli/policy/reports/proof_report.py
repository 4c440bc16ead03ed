"""What a proof found, as text, as JSON, and as files that `explain` reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from scc_responder.cli.terminal.edit_line import edit_line
from scc_responder.cli.terminal.terminal import styled, visible_lines
from scc_responder.domain.errors import SettingsError
from scc_responder.workbench.proof.claims import ClaimKind, ProvedClaim
from scc_responder.workbench.proof.made_situation import MadeSituation, notification_of
from scc_responder.workbench.proof.proof import Proof

_THREATS_SHOWN = 6
_SAYS = {
    ClaimKind.REACHES_PROTECTED: "changes a pod of Kubernetes itself or of Google; protect its namespace",
    ClaimKind.NO_EVIDENCE_BEFORE: "done for good, and waits for no evidence; put capture_evidence before it",
    ClaimKind.POLICIES_FIGHT: "two policies ask for different things; agree on one, or except one in unless",
    ClaimKind.HELD_BY_GUARDRAILS: "would change a protected target but for the guardrails",
    ClaimKind.ADDED: "is done, and was not",
    ClaimKind.MODE_RAISED: "goes further than before",
    ClaimKind.LOOSENED: "waits for less than before, or less counts it",
    ClaimKind.TAKEN_AWAY: "was done, and is not",
    ClaimKind.MODE_LOWERED: "goes less far than before",
    ClaimKind.TIGHTENED: "waits for more than before, or more counts it",
}


def proof_summary(proof: Proof) -> str:
    """The counts, in one line."""
    failing = sum(claim.shown.fails for claim in proof.claims) + sum(edit.widens for edit in proof.edits)
    return f"{proof.policies} policies, {proof.situations} situations, {failing} shown that must be looked at"


def proof_text(proof: Proof, folder: Path) -> str:
    """For people: what fails first, one paragraph for what one finding shows of one policy."""
    lines: list[str] = []
    for about, claims in _grouped(proof.claims).items():
        lines += _paragraph(about, claims)
    lines += _held(proof.claims)
    lines += [edit_line("guardrails", edit) for edit in proof.edits]
    for name in proof.unproved:
        lines.append(f"{styled(name, 'bold')}: not proved: its condition is taken to hold, and not to hold")
    if proof.fails:
        lines.append(f"See one with --counterexamples DIR and scc-responder explain --policies {folder}")
    return "\n".join([*lines, proof_summary(proof)])


def _grouped(claims: Iterable[ProvedClaim]) -> dict[tuple[ClaimKind, str, str, bool], list[ProvedClaim]]:
    """What is shown of one policy in one way, together: what fails first."""
    found: dict[tuple[ClaimKind, str, str, bool], list[ProvedClaim]] = {}
    for claim in sorted(claims, key=lambda claim: not claim.shown.fails):
        shown = claim.shown
        if shown.kind is not ClaimKind.HELD_BY_GUARDRAILS:
            found.setdefault((shown.kind, shown.policy, shown.other, shown.fails), []).append(claim)
    return found


def _paragraph(key: tuple[ClaimKind, str, str, bool], claims: list[ProvedClaim]) -> Iterator[str]:
    kind, policy, other, fails = key
    about = f"{policy} and {other}" if other else policy
    yield f"{styled(f'{about}: ', 'bold')}{styled(str(kind), 'yellow' if fails else 'dim')}: {_SAYS[kind]}"
    for claim in claims:
        details = "; ".join(part for part in (claim.shown.variant.replace("{}", ""), claim.shown.detail) if part)
        unsure = "" if claim.confirmed else "; only where the policy's condition holds"
        yield visible_lines(f"  {claim.shown.action}{f' ({details})' if details else ''}{unsure}")
    yield visible_lines(f"  as in {_told(claims[0].situation)}")
    threats = list(dict.fromkeys(threat for claim in claims for threat in claim.threats))
    more = f" and {len(threats) - _THREATS_SHOWN} more" if len(threats) > _THREATS_SHOWN else ""
    yield visible_lines(f"  of {len(threats)} threats: {', '.join(threats[:_THREATS_SHOWN])}{more}")


def _told(situation: MadeSituation) -> str:
    """The finding and its target, in words."""
    finding, target = situation.finding, situation.target
    parts = [f"{finding.category} ({finding.severity or 'no severity'}, beside {situation.kind.beside})"]
    if finding.pods:
        parts.append(f"pod {finding.pods[0].namespace}/{finding.pods[0].name} of {target.workload}")
        parts += [f"{key}={text}" for key, text in target.labels]
    parts += [f"image {image}" for image in target.images if finding.containers]
    parts += [f"node {finding.node}"] if finding.node else []
    parts += [target.cluster] if finding.cluster else [target.service] if finding.cloud_run else []
    parts += [f"by {finding.principal}"] if finding.principal else []
    return f"{', '.join(parts)}, at {situation.now.isoformat()}"


def _held(claims: Iterable[ProvedClaim]) -> Iterator[str]:
    """One line for each guardrail that alone keeps policies off protected targets."""
    by_reason: dict[str, dict[str, None]] = {}
    for claim in claims:
        if claim.shown.kind is ClaimKind.HELD_BY_GUARDRAILS:
            by_reason.setdefault(claim.shown.detail, {})[claim.shown.policy] = None
    for reason, policies in sorted(by_reason.items()):
        kind = styled(f"warning: {ClaimKind.HELD_BY_GUARDRAILS}", "yellow")
        named = f"{len(policies)} {'policy' if len(policies) == 1 else 'policies'}"
        yield f"{kind}: {reason} alone keeps {named} off protected targets"


def proof_json(proof: Proof) -> str:
    """For pipelines: everything, each claim with its finding and context as `explain` reads them."""
    told: dict[str, Any] = {
        "policies": proof.policies,
        "situations": proof.situations,
        "fails": proof.fails,
        "claims": [_claim(claim) for claim in proof.claims],
        "edits": msgspec.to_builtins(proof.edits),
        "unproved": list(proof.unproved),
    }
    return json.dumps(told, indent=2)


def _claim(claim: ProvedClaim) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(claim.shown),
        "fails": claim.shown.fails,
        "confirmed": claim.confirmed,
        "threats": list(claim.threats),
        "at": claim.situation.now.isoformat(),
        "finding": json.loads(notification_of(claim.situation.finding)),
        "context": msgspec.to_builtins(claim.situation.facts),
    }


def write_counterexamples(proof: Proof, folder: Path) -> None:
    """One finding and context for each paragraph that fails. Raises SettingsError."""
    failing = [claims[0] for claims in _grouped(proof.claims).values() if claims[0].shown.fails]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, claim in enumerate(failing, start=1):
            name = f"{number:03}-{claim.shown.kind}-{claim.shown.policy}"
            (folder / f"{name}.json").write_bytes(notification_of(claim.situation.finding))
            facts = msgspec.json.format(msgspec.json.encode(claim.situation.facts), indent=2)
            (folder / f"{name}.context.json").write_bytes(facts)
    except OSError as error:
        raise SettingsError("unwritable_file", f"{folder}: {error.strerror}") from error
