"""The lines of the demonstration: every word that a finding brought is made visible."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from scc_responder.case import Step
from scc_responder.cli.terminal import styled
from scc_responder.simulated.aftermath import Aftermath, PodNow
from scc_responder.simulated.api import AuditEvent
from scc_responder.simulated.deployment import Deployment
from scc_responder.simulated.observation import Check, Observation, captured, proof
from scc_responder.simulated.scenario import Delivery

WIDTH = 92
_INDENT = "     "
_SEVERITIES = {"CRITICAL": "red", "HIGH": "yellow", "MEDIUM": "yellow", "LOW": "blue"}
_STATUSES = {"done": "green", "held": "yellow", "skipped": "dim", "failed": "red", "unknown": "red"}
_ENDINGS = {
    "done": "all that was asked for is done and read back",
    "no_policy_matched": "no policy asks for anything, so nothing is done; the case is on record",
    "google_agent_pod": "Google's own agents are never touched; the evidence is kept",
    "duplicate": "this finding has been dealt with, and nothing is done twice",
    "stale": "older than what is known of this finding, so it changes nothing",
    "not_json": "no finding: recorded by its hash, and settled so that it does not come again",
}
_NOTES = {
    "isolated": "no new connections in or out; those already open: unknown",
    "armed": "the deletion is bound to this UID and this version",
    "deleted": "gone; its controller starts a clean one",
    "no_outcome_topic": "the demo has no topic to publish to",
    "google_agent_pod": "",
}


def heading(text: str) -> str:
    """The title of a part."""
    return styled(text, "bold")


def fact(name: str, text: str) -> str:
    """One named fact of the beginning or the end."""
    return f"  {styled(f'{name:<11}', 'dim')}{text}"


def opening(url: str, nodes: int, pods: int, raised: int) -> Iterator[str]:
    """What is real here and what is played."""
    yield heading("Threats in a cluster, contained while you watch")
    yield ""
    yield fact("cluster", f"simulated, on {url}: {nodes} nodes, {pods} pods, an audit log")
    enforce = styled("enforce", "yellow")
    yield fact("policies", f"the {raised} shipped ones. They come in dry_run; these copies are raised to {enforce}")


def introduction(number: int, of: int, delivery: Delivery) -> Iterator[str]:
    """What is delivered."""
    title = f"{number}/{of}  {delivery.title}"
    severity = styled(delivery.severity, _SEVERITIES.get(delivery.severity, "dim")) if delivery.severity else ""
    yield f"{styled(f'{title:<{WIDTH - 8}}', 'bold')}{severity}"
    for line in textwrap.wrap(delivery.about, WIDTH - len(_INDENT)):
        yield f"{_INDENT}{line}"
    if delivery.target:
        yield f"{_INDENT}{styled(delivery.target, 'blue')}"


def step(found: Step, events: Sequence[AuditEvent], evidence: Path) -> str:
    """One step of the response: action, status, reason, and how it is known to hold."""
    known = proof(found, events, evidence)
    reason = "" if known == found.reason else found.reason
    parts = (
        f"{_INDENT}{found.action:<18}",
        styled(f"{found.status:<9}", _STATUSES.get(found.status, "red")),
        styled(f"{reason:<18}", "bold"),
        styled(f"{known:<10}", "green"),
        styled(_note(found, evidence), "dim"),
    )
    return "".join(parts)


def _note(found: Step, evidence: Path) -> str:
    if found.action == "capture_evidence":
        return f"{captured(evidence, found.detail)} objects, every SHA-256 recomputed"
    if found.reason == "already":
        return "it has been marked with its case"
    labels = found.change.get("labels", {})
    if found.action == "label_pod" and labels:
        return ", ".join(f"{key}={value}" for key, value in labels.items())
    if found.action == "cordon_node":
        return f"{found.change.get('name', '')} takes no new pods"
    return _NOTES.get(found.reason, "")


def waiting(events: Sequence[AuditEvent]) -> str:
    """What the function is doing at this moment, by the cluster's audit log."""
    if not events:
        return f"{_INDENT}delivered; waiting for the function ..."
    last = events[-1]
    return f"{_INDENT}request {len(events)}: {last.verb} {last.resource} {last.name} ..."


def ending(seen: Observation) -> Iterator[str]:
    """Why, and how it ended."""
    policies = seen.decision.get("policies", [])
    if policies:
        yield _labeled("decided", "; ".join(_decided(policies)))
    identity = seen.decision.get("identity", {})
    if identity.get("level") == "proved":
        checks = ", ".join(identity["checks"])
        yield _labeled("identity", f"proved to be the finding's own pod: {checks} agree")
    meaning = _ENDINGS.get(seen.reason, "")
    good = seen.reason == seen.delivery.reason
    yield _labeled("ended", f"{styled(seen.reason, 'green' if good else 'red')}: {meaning}")
    yield _labeled("cost", _cost(seen))


def _decided(policies: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from (f"{policy['name']} ({policy['mode']}) matched" for policy in policies if policy["matched"])
    others = Counter(policy["reason"] for policy in policies if not policy["matched"])
    for reason, count in others.items():
        others_word = "others" if any(policy["matched"] for policy in policies) else "policies"
        yield f"{count} {others_word}: {reason}"


def _cost(seen: Observation) -> str:
    count = len(seen.events)
    if not count:
        return f"no request to the cluster, {seen.seconds:.1f} s"
    return f"{count} requests to the cluster, {len(seen.writes)} of them writes, {seen.seconds:.1f} s"


def _labeled(name: str, text: str) -> str:
    return f"{_INDENT}{styled(f'{name:<18}', 'dim')}{text}"


def aftermath(found: Aftermath) -> Iterator[str]:
    """What the cluster looks like now."""
    touched = [pod for pod in found.pods if not pod.untouched]
    touched.sort(key=lambda pod: (not pod.gone, not pod.policies, pod.name))
    rows = [(pod.name, _fate(pod)) for pod in touched]
    rows += [(name, f"{styled('cordoned', 'yellow')}: its pods stay, no new ones come") for name in found.cordoned]
    others = f"{len(found.pods) - len(touched)} other pods"
    rows.append((others, f"{styled('untouched', 'green')}, siblings of the compromised among them"))
    width = max(len(name) for name, _ in rows) + 2
    yield from (f"  {name:<{width}}{fate}" for name, fate in rows)


def _fate(pod: PodNow) -> str:
    if pod.gone:
        return f"{styled('deleted', 'red')}: {pod.successor.rpartition('/')[2]} took its place on {pod.node}"
    if pod.policies:
        return f"{styled('isolated', 'yellow')} by NetworkPolicy {', '.join(pod.policies)}"
    return f"{styled('marked', 'blue')} with its case"


def table(all_seen: Sequence[Observation]) -> Iterator[str]:
    """What each delivery came to."""
    yield styled(f"  {'':3}{'delivery':<60}{'ended':<20}{'requests':>9}", "dim")
    for seen in all_seen:
        title = textwrap.shorten(seen.delivery.title, 58)
        style = "green" if seen.reason == seen.delivery.reason else "red"
        yield f"  {seen.number:<3}{title:<60}{styled(f'{seen.reason:<20}', style)}{len(seen.events):>9}"


def verdict(checks: Sequence[Check]) -> Iterator[str]:
    """Whether everything ended as it had to, and what did not."""
    failed = [check for check in checks if not check.held]
    for check in failed:
        yield f"  {styled('not as expected', 'red')}  {check.name}"
    text = f"{len(checks) - len(failed)} of {len(checks)} expectations held, checked against the cluster's audit log."
    yield styled(text, "red" if failed else "green")


def next_steps(checkout: Path, deployment: Deployment, *, kept: bool) -> Iterator[str]:
    """Where to look next."""
    yield ""
    yield heading("Where to look next")
    finding = _near(checkout / "tests" / "findings" / "modified_malicious_library_loaded.json")
    context = finding.with_suffix(".context.json")
    shown = f"{finding} --context {context}" if context.exists() else "FINDING.json"
    yield fact("explain", f"{_program()} explain {shown}")
    yield fact("", "says what every policy would do with a finding, and why")
    yield fact(
        "policies", f"{_near(checkout / 'policies')}: what you have just seen, as YAML; change one and run this again"
    )
    yield fact("README", f"{_near(checkout / 'README.md')}: how it works, and how to deploy it")
    if not kept:
        yield fact("keep", f"{_program()} demo --keep: keeps the journal, the evidence and the log of such a run")
        return
    yield fact("journal", f"{deployment.journal}: every case, step by step (SQLite, table `entries`)")
    yield fact("evidence", f"{deployment.evidence}: what was captured, with its manifests")
    yield fact("log", f"{deployment.log}: one line of JSON for each delivery, as Cloud Logging gets it")
    yield fact("findings", f"{deployment.findings}: the findings, for `explain`")


def _program() -> str:
    """How to call this program from here."""
    return (
        "scc-responder" if shutil.which("scc-responder") else str(_near(Path(sys.executable).parent / "scc-responder"))
    )


def _near(path: Path) -> Path:
    """The path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
