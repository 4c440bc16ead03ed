"""Say what every policy would do with a finding, and why.

The finding is a notification as it stands on Pub/Sub, or a finding as the API lists it. What is known of its target
comes from a running cluster (--cluster, read only) or from a file (--context).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import wrap
from typing import Any

from msgspec.structs import replace

from scc_responder.cli.terminal.policy_folder import require_policies
from scc_responder.cli.terminal.terminal import styled
from scc_responder.cli.terminal.times import moment
from scc_responder.collect.asked_reads import read_asked
from scc_responder.collect.live import look
from scc_responder.collect.target import collect
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.text import visible
from scc_responder.intake.notification import parse_notification
from scc_responder.policy.asked_by import asked_by
from scc_responder.policy.decide import decide, disruptions
from scc_responder.policy.policy_set import OnFailure, PolicySet
from scc_responder.workbench.cluster_snapshot import NoFindings
from scc_responder.workbench.clusters_file import ClustersFile
from scc_responder.workbench.explanation import NOTHING_READ, explain, explain_context, read_facts
from scc_responder.workbench.policy_files.policy_file import load_policies

_RESULT_STYLE = {"planned": "green", "waiting": "blue", "skipped": "dim", "held": "yellow"}
_READ_SECONDS = 30.0
_WIDTH = 100


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `explain`."""
    parser.add_argument("finding", type=Path, metavar="FINDING.json", help="the finding or notification")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--cluster",
        metavar="NAME",
        help="read the target through this entry of --clusters: its name, the last part of it, or its context",
    )
    source.add_argument("--context", type=Path, metavar="FILE", help="take what is known of the target from this file")
    parser.add_argument("--clusters", type=Path, default=Path("clusters.yaml"), metavar="FILE", help="local clusters")
    parser.add_argument("--policies", type=Path, default=Path("policies"), metavar="DIR", help="folder of policies")
    parser.add_argument(
        "--at",
        type=moment,
        metavar="TIME",
        help="when it arrives, if not at its event time; in UTC unless it says otherwise",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what to print")


def run(options: argparse.Namespace) -> int:
    """Print the explanation; 1 if the finding is rejected."""
    policies = load_policies(options.policies)
    require_policies(len(policies.policies), options.policies)
    content = _read(options.finding)
    facts = read_facts(_read(options.context), options.context.name) if options.context else NOTHING_READ
    told = explain(content, facts, policies, options.at)
    if options.cluster and not told["rejected"]:
        told = _explain_live(content, policies, options)
    print(json.dumps(told, indent=2) if options.format == "json" else _text(told))
    return 1 if told["rejected"] else 0


def _explain_live(content: bytes, policies: PolicySet, options: argparse.Namespace) -> dict[str, Any]:
    """The explanation with the target as it is in the chosen cluster now."""
    finding = parse_notification(content)
    clusters = ClustersFile(options.clusters).renamed(finding.cluster, options.cluster)
    with ThreadPoolExecutor(8) as pool:
        collected = collect(finding, clusters, NoFindings(), pool, _READ_SECONDS)
        now = options.at or finding.event_time
        context = replace(collected.context, now=now)
        context = read_asked(context, collected, asked_by(policies.policies, context))
        context = look(context, collected, disruptions(decide(context, policies.policies)))
    return explain_context(context, policies, now)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError("unreadable_file", f"{path}: {error.strerror}") from error


def _text(told: dict[str, Any]) -> str:
    if told["rejected"]:
        return f"Nothing is decided: {styled(told['rejected'], 'yellow')}"
    lines = [*_head(told), ""]
    others: dict[str, list[str]] = {}
    for policy in told["policies"]:
        if policy["matched"]:
            lines += _policy(policy)
        else:
            others.setdefault(policy["reason"], []).append(policy["name"])
    lines += _order(told["order"])
    for shot in told["first_shots"]:
        lines += _first_shot(shot)
    lines += _told(told["told"])
    for reason, names in sorted(others.items(), key=lambda item: len(item[1])):
        lines += _others(reason, names)
    hints = [(policy["name"], policy["hint"]) for policy in told["policies"] if "hint" in policy]
    lines += [f"{styled(name, 'bold')}: {visible(hint)}" for name, hint in hints]
    return "\n".join(lines)


def _head(told: dict[str, Any]) -> list[str]:
    finding, threat, context = told["finding"], told["threat"], told["context"]
    kind, target = _agent(finding) or _target(context)
    hint = ": give --cluster or --context" if target == "not_read" else ""
    return [
        styled(finding["category"], "bold"),
        f"  finding   {styled(finding['canonical_name'], 'dim')}",
        f"  threat    {threat['name']} ({threat['surface']}, {threat['kind']}, {threat['confidence']})",
        f"  {kind:<10}{styled(target, 'bold')}{hint}",
        f"  identity  {context['identity']['level']}: {context['identity']['reason']}",
    ]


def _agent(finding: dict[str, Any]) -> tuple[str, str] | None:
    """The AI agent that the finding is about, as the finding names it: nothing is read of it."""
    agent = finding["agent"]
    if agent is None:
        return None
    path = f"projects/{agent['project']}/locations/{agent['location']}/reasoningEngines/{agent['name']}"
    return "agent", f"{path} {visible(agent['display_name'])}".rstrip()


def _target(context: dict[str, Any]) -> tuple[str, str]:
    """What the finding is about, and its name, or why it was not read."""
    for kind, part in (("service", "revision"), ("job", "execution")):
        if owner := context.get(kind):
            name, child = owner["name"], context.get(part)
            path = f"projects/{name['project']}/locations/{name['location']}/{kind}s/{name['name']}"
            return kind, f"{path}, {part} {child['name'] if child else context['missing'].get(part, 'none')}"
    pod = context["pod"]
    if pod:
        return "pod", f"{pod['namespace']}/{pod['name']} on {pod['node_name']}"
    return "pod", context["missing"].get("pod", "none")


def _others(reason: str, names: Sequence[str]) -> list[str]:
    """The policies that do not match, those of one reason together."""
    listed = wrap(", ".join(names), _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return [f"{len(names)} not: {styled(reason, 'yellow')}", *(styled(line, "dim") for line in listed)]


def _order(steps: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The steps of all policies as they are carried out, and what each of them waits for."""
    if steps:
        yield styled("In this order. A step that fails stops only what needs it", "bold")
    names = len({step["policy"] for step in steps}) > 1
    for number, step in enumerate(steps, start=1):
        notes = [*step["needs"], *(["identity"] if step["needs_identity"] else [])]
        needed = [f"needs {', '.join(notes)}"] if notes else []
        chain = ["stops the later changes if it fails"] if step["on_failure"] == OnFailure.STOP else []
        told = "; ".join([*needed, *chain, *([step["policy"]] if names else [])])
        yield f"  {number:>2}. {step['action']:17} {styled(told, 'dim')}".rstrip()


def _first_shot(shot: dict[str, Any]) -> Iterator[str]:
    """What waits where the policy has not acted yet, and what comes of it if nothing else waits by then."""
    where = shot["place"].rpartition("/")[2] or "this place"
    yield styled(f"The first time that {shot['policy']} acts in {where}", "bold")
    alone = "done" if not shot["notice"] else f"not done: {shot['detail']}. {shot['notice']['remedy']}"
    waits = f"{', '.join(shot['actions'])} {styled('waits', 'yellow')} {shot['warm_up']}"
    yield f"  {waits}; if nothing else waits then: {alone}"


def _told(told: dict[str, Any] | None) -> Iterator[str]:
    """What a person is told of what holds the answer, and can do about it now."""
    if told:
        reason = "" if told["holds"] else f": {styled(told['reason'], 'yellow')}"
        yield styled("A person is told, as its severity is HIGH or above", "bold") + reason
        for hold in told["holds"]:
            yield f"  {hold['action']:17} {styled(hold['reason'], 'yellow')}  {hold['to_do']}"


def _policy(policy: dict[str, Any]) -> list[str]:
    lowered = f"  {styled(policy['mode_reason'], 'yellow')}" if policy["mode_reason"] else ""
    lines = [f"{styled(policy['name'], 'bold')} ({policy['mode']}): {styled(policy['reason'], 'green')}{lowered}"]
    for action in policy["actions"]:
        result = styled(f"{action['result']:8}", _RESULT_STYLE[action["result"]])
        reason = "" if action["reason"] == action["result"] else f"  {styled(action['reason'], 'yellow')}"
        lines.append(f"  {action['action']:17} {result}{reason}")
        lines += [f"    {styled('felt', 'dim')} {words}" for words in action.get("felt", ())]
    return lines
