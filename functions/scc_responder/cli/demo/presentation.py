"""The lines of the demonstration: every word that a finding brought is made visible."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.changes import is_about_node, kind_of_stored
from scc_responder.domain.labels import CASE_LABEL, ISOLATED_POD
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.journal.contained import MEANINGS, containment
from scc_responder.journal.step import Step
from scc_responder.workbench.deployment.carried import Carried, carried
from scc_responder.workbench.policy_files.shipped_pack import PACK
from scc_responder.workbench.simulated_cluster.server.request import AuditEvent
from scc_responder.workbench.simulated_cluster.story.aftermath import Aftermath, PodNow
from scc_responder.workbench.simulated_cluster.story.observation import Expectation, Observation, captured, proof
from scc_responder.workbench.simulated_cluster.story.scenario import Delivery
from scc_responder.workbench.simulated_cluster.story.story_folder import StoryFolder

WIDTH = 100
"""The widest line; a narrower terminal's width is used where there is one, and notes that do not fit are left out."""
_NOTES_AT = 61
_INDENT = "     "
_SEVERITIES = {"CRITICAL": "red", "HIGH": "yellow", "MEDIUM": "yellow", "LOW": "blue"}
_STATUSES = {
    "done": "green",
    "held": "yellow",
    "not_effective": "yellow",
    "skipped": "dim",
    "dry_run": "blue",
    "failed": "red",
    "unknown": "red",
}
_ENDINGS = {
    "done": "what could be done is done, and read back",
    Reason.NO_POLICY_MATCHED: "nothing is done that no policy asks for",
    Reason.BYPASSED_BY: "what was done does not hold: the policy that lets the pod out is named",
    Reason.INVALID: "the API server refused a mark; what does not need it is done",
    Reason.GOOGLE_AGENT_POD: "Google's own agents are never touched; the evidence is kept",
    Reason.WAITING_FOR_APPROVAL: "evidence is kept; what would change the service waits for a person",
    "dry_run": "evidence is kept; the API server took every change with dryRun=All, and did none",
    "duplicate": "nothing is done twice",
    "stale": "older than what is known of this finding, so it changes nothing",
    Reason.NOT_JSON: "recorded by its hash, and settled so that it does not come again",
}
_CHECKS = {
    "created": "creation",
    "node": "node",
    "container": "container",
    "service": "creation",
    "revision": "its revision",
    "image": "image",
    "started": "start",
}
_NOTES = {
    "isolated": "no new connections; established ones may go on",
    "armed": "only this UID, only this version",
    "severed": "established ones ended, none left",
    "frozen": "stopped, memory kept, read back",
    Reason.INVALID: "annotations are full; nothing waits for it",
    Reason.NO_OUTCOME_TOPIC: "the demo has no topic to publish to",
    Reason.NO_CLOUD_LOGGING: "the demo has no Cloud Logging to ask",
}


def heading(text: str) -> str:
    """The title of a part."""
    return styled(text, "bold")


def fact(name: str, text: str) -> str:
    """One named fact of the beginning or the end."""
    return f"  {styled(f'{name:<11}', 'dim')}{text}"


def opening(url: str, nodes: int, pods: int, cloud_run: str, raised: int) -> Iterator[str]:
    """What is real here and what is played."""
    yield heading("Threats in a cluster, answered while you watch")
    yield "A finding arrives, policies decide, and every step is journaled, done, and read back."
    yield ""
    yield fact("cluster", f"simulated, on {url}: {nodes} nodes, {pods} pods, an audit log")
    yield fact("Cloud Run", f"simulated, on {cloud_run}: one service, two revisions, Google's own protos")
    yield fact("collector", "played: no process runs in these pods, so what it would tell of them is made up")
    enforce = styled("enforce", "yellow")
    yield fact("policies", f"the shipped ones. They come in dry_run; of these copies {raised} are raised to {enforce}")
    yield fact("", "those that change Cloud Run stay at approve, as they come")
    yield fact("control", f"{enforce}, set for this; a store without `scc-responder control set` means dry_run")


def introduction(number: int, of: int, delivery: Delivery) -> Iterator[str]:
    """What is delivered."""
    title = f"{number}/{of}  {delivery.title}"
    severity = styled(f"{delivery.severity:>8}", _SEVERITIES.get(delivery.severity, "dim")) if delivery.severity else ""
    yield f"{styled(f'{title:<{_width() - 8}}', 'bold')}{severity}"
    for line in textwrap.wrap(delivery.about, _width() - len(_INDENT)):
        yield f"{_INDENT}{line}"
    if delivery.target:
        yield f"{_INDENT}{styled(delivery.target, 'blue')}"


def _width() -> int:
    return min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)


def step(found: Step, events: Sequence[AuditEvent], evidence: Path) -> str:
    """One step of the response: action, status, reason, and how it is known to hold."""
    known = proof(found, events, evidence)
    note = _note(found, evidence)
    parts = (
        f"{_INDENT}{found.action:<19}",
        styled(f"{found.status:<8} ", _STATUSES.get(found.status, "red")),
        styled(f"{found.reason:<18}", "bold"),
        styled(f"{known if known == 'verified' else '':<10}", "green"),
        styled(note if _NOTES_AT + len(note) <= _width() else "", "dim"),
    )
    return "".join(parts)


def _note(found: Step, evidence: Path) -> str:
    if found.status == "done" and (objects := captured(evidence, found.detail)):
        return f"{objects} objects, every SHA-256 recomputed"
    return _NOTES.get(found.reason) or (_done(found.change) if found.status == "done" else "")


def _done(change: Mapping[str, Any]) -> str:
    """What a change came to, by what its kind declares: no kind is known here by its name."""
    kind = kind_of_stored(change)
    if kind is not None and kind.ends_pod:
        return "its controller starts a clean one"
    if is_about_node(change):
        return str(change.get("name", ""))
    labels = change.get("labels", {}).items()
    return ", ".join(f"{key}={value}" for key, value in labels if not key.startswith((CASE_LABEL, ISOLATED_POD)))


def waiting(events: Sequence[AuditEvent]) -> str:
    """What the function is doing at this moment, by the cluster's audit log."""
    if not events:
        return f"{_INDENT}delivered; waiting for the function ..."
    last = events[-1]
    return f"{_INDENT}request {len(events)}: {last.verb} {last.rbac_resource} {last.name} ..."


def ending(seen: Observation) -> Iterator[str]:
    """Why, and how it ended."""
    policies = seen.decision.get("policies", [])
    if seen.steps:
        yield ""
    if policies:
        yield _labeled("decided", "; ".join(_decided(policies)))
    identity = seen.decision.get("identity", {})
    if identity.get("level") == "proved":
        checks = ", ".join(word for check, word in _CHECKS.items() if check in identity["checks"])
        kind = "service" if "service" in identity["checks"] else "pod"
        yield _labeled("identity", f"proved to be the finding's own {kind} by {checks}")
    for found in seen.steps:
        if found.status is StepStatus.NOT_EFFECTIVE:
            yield _labeled("worth", found.detail)
    if reached := containment(seen.steps):
        yield _labeled("threat", f"{styled(reached, 'yellow')}: {MEANINGS[reached]}")
    meaning = _ENDINGS.get(seen.reason, "not what had to come of it")
    good = seen.reason == seen.delivery.reason
    yield _labeled("ended", f"{styled(seen.reason, 'green' if good else 'red')}: {meaning}")
    yield _labeled("requests", _cost(seen))


def _decided(policies: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from (f"{policy['name']} ({policy['mode']}) matched" for policy in policies if policy["matched"])
    others = Counter(policy["reason"] for policy in policies if not policy["matched"])
    for reason, count in others.items():
        others_word = "others" if any(policy["matched"] for policy in policies) else "policies"
        yield f"{count} {others_word}: {reason}"


def _cost(seen: Observation) -> str:
    took = f"{seen.seconds:.1f} s" if seen.seconds >= 1 else f"{seen.seconds * 1000:.0f} ms"
    if not seen.events:
        return f"none to the cluster, {took}"
    kind = "rehearsed writes" if any(event.dry_run for event in seen.writes) else "writes"
    return f"{len(seen.events)} to the cluster, {len(seen.writes) or 'none'} of them {kind}, {took}"


def _labeled(name: str, text: str) -> str:
    return f"{_INDENT}{styled(f'{name:<18}', 'dim')}{text}"


def aftermath_lines(found: Aftermath) -> Iterator[str]:
    """What the cluster looks like now."""
    touched = [pod for pod in found.pods if not pod.untouched]
    touched.sort(key=lambda pod: (not pod.gone, not pod.policies, pod.name))
    rows = [row for pod in touched for row in ((pod.name, _fate(pod)), *_successor(pod))]
    rows += [(name, f"{styled('cordoned', 'yellow')}: its pods stay, no new ones come") for name in found.cordoned]
    others = f"{len(found.pods) - len(touched)} other pods"
    rows.append((others, f"{styled('untouched', 'green')}, siblings of the compromised among them"))
    width = max(len(name) for name, _ in rows) + 2
    yield from (f"  {name:<{width}}{fate}" for name, fate in rows)


def _fate(pod: PodNow) -> str:
    if pod.gone:
        return f"{styled('deleted', 'red')}: its controller has started a clean one,"
    if pod.policies and pod.let_out_by:
        return f"{styled('let out', 'red')} by FQDNNetworkPolicy {', '.join(pod.let_out_by)}, beside our own"
    if pod.policies:
        return f"{styled('isolated', 'yellow')} by NetworkPolicy {', '.join(pod.policies)}"
    return f"{styled('marked', 'blue')} with its case"


def _successor(pod: PodNow) -> Iterator[tuple[str, str]]:
    if pod.gone:
        yield "", pod.successor or "not yet"
        yield "", f"on {pod.node or 'no node'}"


def table(all_seen: Sequence[Observation]) -> Iterator[str]:
    """What each delivery came to."""
    yield styled(f"  {'':4}{'delivery':<57}{'ended':<19}{'requests':>8}{'writes':>8}", "dim")
    for seen in all_seen:
        title = textwrap.shorten(seen.delivery.title, 56)
        style = "green" if seen.reason == seen.delivery.reason else "red"
        counts = f"{len(seen.events):>8}{len(seen.writes):>8}"
        yield f"  {seen.number:<4}{title:<57}{styled(f'{seen.reason:<19}', style)}{counts}"


def verdict(checks: Sequence[Expectation]) -> Iterator[str]:
    """Whether everything ended as it had to, and what did not."""
    failed = [check for check in checks if not check.held]
    for check in failed:
        yield f"  {styled('not as expected', 'red')}  {check.name}"
    text = f"{len(checks) - len(failed)} of {len(checks)} expectations held, checked against the cluster's audit log."
    yield styled(text, "red" if failed else "green")


def next_steps(clone: Path, deployment: StoryFolder, *, kept: bool) -> Iterator[str]:
    """Where to look next."""
    yield ""
    yield heading("Where to look next")
    finding = _near(carried(Carried.FINDINGS) / "modified_malicious_library_loaded.json")
    context = finding.with_suffix(".context.json")
    shown = " --context ".join(str(path) for path in (finding, context) if path.exists()) or "FINDING.json"
    yield fact("explain", f"{_program()} explain {shown}")
    yield fact("", "says what every policy would do with a finding, and why")
    in_clone = (clone / "policies").is_dir()
    yield fact("policies", f"{_near(clone / 'policies' if in_clone else PACK)}: what you have just seen, as YAML")
    yield fact("", "change one in a copy, and see what comes differently: demo --policies COPY")
    if in_clone:
        yield fact("README", f"{_near(clone / 'README.md')}: how it works, and how to deploy it")
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
