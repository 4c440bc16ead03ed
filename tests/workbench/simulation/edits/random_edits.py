"""Edits of a shipped policy by a seed, with targets that its words and their near misses make up."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.asked_facts import WorkloadObject
from scc_responder.domain.context import Context, DisruptionBudget, LiveLook, Workload
from scc_responder.domain.finding import PodRef
from scc_responder.domain.mode import Mode
from scc_responder.intake.threats import CONFIDENCES, DETECTORS, THREAT_KINDS, Row, catalogue
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.match import Severity, as_tuple
from scc_responder.policy.policy_set import Policy, PolicySet
from scc_responder.workbench.explanation import ContextFacts, context_of
from scc_responder.workbench.policies.meaning.possible_findings import fitting_kinds
from scc_responder.workbench.policy_files.policy_file import load_policies, policy_mistakes
from scc_responder.workbench.sample_findings import facts_as_told, sample_finding, unknown_finding
from tests.kits.responder import SHIPPED

Document = dict[str, Any]
CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
WORDS: dict[str, tuple[str, ...]] = {
    "threat": tuple(row.name for row in catalogue()),
    "detector": DETECTORS,
    "kind": THREAT_KINDS,
    "confidence": CONFIDENCES,
    "surface": ("pod", "node", "cluster", "cloud_run"),
    "severity": tuple(Severity),
    "category": tuple(row.category for row in catalogue()),
    "namespace": ("shop", "shop-*", "sho?", "*", "bank", "kube-system", "s*p"),
    "cluster": (CLUSTER, CLUSTER[:-1] + "*", CLUSTER.replace("europe-west1", "*"), "**/clusters/prod-?", "**"),
    "workload": ("Deployment/web", "Deployment/*", "*/web", "StatefulSet/*", "*/*"),
    "image": ("europe-docker.pkg.dev/**", "europe-docker.pkg.dev/example-project/*/*", "**/web:1.4.?", "other/*"),
    "node_pool": ("pool-1", "pool-*", "p*1", "other"),
    "project": ("example-project", "example-*", "other"),
    "location": ("europe-west1", "europe-*", "us-*"),
    "principal": ("*@example.com", "deployer@**", "*"),
}
LABELS = ({"tier": "web"}, {"tier": ["web", "api"]}, {"tier": "w*"}, {"tier": "web", "team": "a"}, {"team": "*"})
CONDITIONS = (
    "pod.ready",
    'pod.namespace == "shop"',
    'pod.ready && pod.labels["tier"] == "web"',
    'pod.labels["tier"] == "web" || pod.namespace == "bank"',
    "finding.containers.size() > 0",
    "live.workload.ready > 2",
    'live.budgets.size() == 0 && workload_object.labels["team"] == "a"',
    'google_identity.startsWith("web@") || now.getHours() < 12',
)
MODES = (
    {"mode": "enforce", "clusters": [CLUSTER]},
    {"mode": "approve", "clusters": ["projects/*/locations/*/clusters/*"]},
    {"mode": "enforce", "clusters": ["projects/*/locations/*/clusters/*"], "namespace_labels": {"stage": "canary"}},
    {"mode": "enforce", "clusters": [CLUSTER], "namespace_labels": {"stage": ["canary", "t*"], "tier": "3"}},
    {"mode": "approve", "clusters": ["projects/**"], "share": "50%", "namespace_labels": {"tier": "*"}},
)
HOURS = (
    {"from": "22:00", "to": "06:00"},
    {"from": "09:00", "to": "17:00", "days": ["mon", "tue", "wed"]},
    {"from": "08:00", "to": "12:00", "days": ["mon", "sun"]},
)
CEILINGS = (
    {"name": "ends", "max_mode": "approve", "actions": ["delete_pod", "evict_pod"]},
    {"name": "nodes", "max_mode": "dry_run", "actions": ["cordon_node"]},
    {"name": "marks", "max_mode": "approve", "actions": ["label_pod", "roll_back_service"]},
)
PARAMETERS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "grace_period_seconds": ("ends", (1, 5, 30, 60)),
    "allow_standalone": ("ends", (True, False)),
    "allow_daemonset": ("ends", (True, False)),
    "allow_last_replica": ("ends", (True, False)),
    "identity": ("ends", ("likely", "proved")),
    "release_after": ("cordon_node", ("", "1h", "24h")),
    "labels": ("label_pod", ({"scc-responder/threat": "a"}, {"scc-responder/threat": "b"}, {})),
}
LIMITS = ({"most": 1, "within": "1h"}, {"most": 3, "within": "10m"}, {"most": 5, "within": "10m"})


class EditedPack(NamedTuple):
    """Policies before and after an edit, and the targets that may tell them apart."""

    former: PolicySet
    now: PolicySet
    contexts: tuple[Context, ...]


def edited_pack(seed: int, targets: int = 24) -> EditedPack:
    """One shipped policy, first dressed up by a few edits and then edited, by this seed."""
    dice = random.Random(seed)
    before, rails = _policy(dice.choice(_acting())), _rails(dice)
    for _ in range(dice.randrange(1, 6)):
        before = _valid(dice, before, rails)
    after = before
    while _meaning(after) == _meaning(before):
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            after = _valid(dice, after, rails)
    turned = (after, before) if dice.random() < 0.5 else (before, after)
    former, now = map(_meaning, turned)
    words = _words(dice, before, after)
    threats = {kind.values["threat"][0] for each in (former, now) for kind in fitting_kinds(each.when)}
    rows = [row for row in catalogue() if row.name in threats] or list(catalogue())
    contexts = tuple(_context(dice, words, rows if dice.random() < 0.9 else catalogue()) for _ in range(targets))
    return EditedPack(_pack(former, rails), _pack(now, rails), contexts)


@cache
def _acting() -> tuple[Policy, ...]:
    """The shipped policies that change something."""
    known = actions()
    return tuple(each for each in _shipped().policies if not all(known[step.action].observes for step in each.then))


@cache
def _shipped() -> PolicySet:
    return load_policies(SHIPPED)


def _meaning(document: Document) -> Policy:
    return msgspec.convert(document, Policy)


def _policy(policy: Policy) -> Document:
    document = msgspec.to_builtins(policy)
    document["mode"] = "enforce"
    for part in ("when", "unless"):
        document[part] = {name: value for name, value in document[part].items() if value is not None}
    return msgspec.json.decode(msgspec.json.encode(document))


def _rails(dice: random.Random) -> Guardrails:
    shipped = msgspec.to_builtins(_shipped().guardrails)
    ceilings = [ceiling for ceiling in CEILINGS if dice.random() < 0.5]
    serving = ["shop/Deployment/web"] if dice.random() < 0.3 else []
    return msgspec.convert({**shipped, "ceilings": ceilings, "keep_serving": serving}, Guardrails)


def _pack(policy: Policy, rails: Guardrails) -> PolicySet:
    return PolicySet(policies=(policy,), guardrails=rails, digest="")


def _valid(dice: random.Random, document: Document, rails: Guardrails) -> Document:
    """The document, edited once so that it is still a policy."""
    while True:
        tried: Document = msgspec.json.decode(msgspec.json.encode(document))
        dice.choice(_EDITS)(dice, tried)
        try:
            policy = msgspec.convert(tried, Policy)
            if not any(policy_mistakes(policy, policy.name, rails)):
                return tried
        except msgspec.ValidationError:
            continue


def _set_mode(dice: random.Random, document: Document) -> None:
    document["mode"] = dice.choice([*Mode, Mode.ENFORCE, Mode.ENFORCE, Mode.APPROVE])


def _match(dice: random.Random, document: Document) -> None:
    part = document[dice.choice(["when", "unless"])]
    field = dice.choice([*WORDS, "labels", *list(part) * 12])
    way = dice.randrange(4)
    if field in part and way == 0:
        del part[field]
    elif field == "labels":
        part[field] = dice.choice(LABELS)
    elif field == "severity":
        part[field] = dice.choice(WORDS[field])
    elif field == "service":
        part[field] = dice.choice(["web", "w*", "*"])
    elif field in part and way == 1:
        part[field] = [*as_tuple(part[field]), dice.choice(WORDS[field])]
    elif field in part and way == 2:
        part[field] = dice.sample(list(as_tuple(part[field])), dice.randint(1, len(as_tuple(part[field]))))
    else:
        part[field] = dice.sample(WORDS[field], dice.randint(1, min(3, len(WORDS[field]))))


def _condition(dice: random.Random, document: Document) -> None:
    given, other = document["condition"], dice.choice(CONDITIONS)
    document["condition"] = dice.choice(["", other, f"{given} && {other}", f"{given} || {other}", f"({given})", given])


def _steps(dice: random.Random, document: Document) -> None:
    steps, at = document["then"], dice.randrange(len(document["then"]))
    way = dice.randrange(6)
    if way == 0:
        steps.insert(at, {"action": dice.choice(list(actions()))})
    elif way == 1:
        del steps[at]
    elif way == 2:
        other = dice.randrange(len(steps))
        steps[at], steps[other] = steps[other], steps[at]
    elif way == 3:
        steps[at]["needs"] = [step["action"] for step in steps[:at] if dice.random() < 0.3]
    elif way == 4:
        steps[at]["on_failure"] = dice.choice(["stop", "continue"])
    else:
        _parameter(dice, steps)


def _parameter(dice: random.Random, steps: list[Document]) -> None:
    name = dice.choice(list(PARAMETERS))
    of, values = PARAMETERS[name]
    for step in steps:
        if step["action"] == of or (of == "ends" and step["action"] in {"delete_pod", "evict_pod"}):
            step["with"] = {**step.get("with", {}), name: dice.choice(values)}


def _limits(dice: random.Random, document: Document) -> None:
    document["limits"] = [limit for limit in LIMITS if dice.random() < 0.4]


def _modes(dice: random.Random, document: Document) -> None:
    document["modes"] = [one for one in MODES if dice.random() < 0.4]


def _hours(dice: random.Random, document: Document) -> None:
    document[dice.choice(["quiet_hours", "office_hours"])] = [one for one in HOURS if dice.random() < 0.4]
    document["out_of_hours"] = dice.choice([*Mode])


_EDITS: tuple[Callable[[random.Random, Document], None], ...] = (
    _set_mode, _match, _match, _match, _match, _condition, _steps, _steps, _steps, _steps, _limits,
    _modes, _modes, _hours,
)  # fmt: skip


def _words(dice: random.Random, *documents: Document) -> Mapping[str, list[str]]:
    """What the conditions of the documents name, each wildcard filled in, with near misses."""
    found: dict[str, list[str]] = {}
    for document in documents:
        for part in (document["when"], document["unless"]):
            for field, value in part.items():
                for pattern in as_tuple(value) if isinstance(value, str | list) else ():
                    for word in _filled(dice, str(pattern)):
                        found.setdefault(field, []).append(word)
    return found


def _filled(dice: random.Random, pattern: str) -> Iterator[str]:
    deep, some = dice.choice(["a", "a/b"]), dice.choice(["", "x", "web", "prod-1"])
    word = pattern.replace("**", deep).replace("*", some).replace("?", "p")
    yield word
    at = dice.randrange(len(word)) if word else 0
    yield dice.choice([word[:at] + word[at + 1 :], word[:at] + "x" + word[at:], f"{word}-2"])


def _context(dice: random.Random, words: Mapping[str, list[str]], rows: Sequence[Row]) -> Context:
    def one(field: str, *otherwise: str) -> str:
        return dice.choice([*words.get(field, ()), *words.get(field, ()), *otherwise])

    finding = unknown_finding() if dice.random() < 0.03 else sample_finding(dice.choice(rows))
    if "category" in words and dice.random() < 0.5:
        finding = replace(finding, category=one("category"))
    finding = replace(
        finding, severity=one("severity", finding.severity), principal=one("principal", finding.principal)
    )
    if finding.pods and dice.random() < 0.95:
        name = finding.pods[0].name if dice.random() < 0.8 else "alone"
        finding = replace(finding, pods=(PodRef(namespace=one("namespace", "shop", "bank"), name=name),))
    if finding.containers:
        image = one("image", finding.containers[0].image)
        finding = replace(finding, containers=(replace(finding.containers[0], image=image),))
    if finding.cluster:
        parts = one("cluster", finding.cluster.path).split("/")
        location = one("location", finding.cluster.location)
        if len(parts) == 6:
            finding = replace(
                finding, cluster=replace(finding.cluster, project=parts[1], location=location, name=parts[5])
            )
    facts = facts_as_told(finding)
    if facts.pod:
        labels = {key: dice.choice(["web", "api", "a", "w"]) for key in ("tier", "team") if dice.random() < 0.6}
        facts = replace(facts, pod=replace(facts.pod, labels=labels, ready=dice.random() < 0.8))
        facts = replace(facts, **_asked_facts(dice, facts))
    if facts.node:
        facts = replace(facts, node=replace(facts.node, node_pool=one("node_pool", facts.node.node_pool)))
    if dice.random() < 0.1:
        missing = dice.choice(["pod", "node", "related", "namespace"])
        facts = replace(facts, **{missing: None}, missing={**facts.missing, missing: "not_found"})
    now = finding.event_time.replace(hour=0) + timedelta(hours=dice.randrange(168))
    return context_of(finding, facts, dice.choice([None, now]))


def _asked_facts(dice: random.Random, facts: ContextFacts) -> dict[str, Any]:
    """What only some policies ask for: replicas, budgets, labels of the workload and of the namespace, an identity."""
    assert facts.pod
    assert facts.namespace
    labels = {
        key: dice.choice(["canary", "test", "3", "a"]) for key in ("stage", "tier", "team") if dice.random() < 0.6
    }
    ready, allowed = dice.randrange(5), dice.randrange(2)
    budgets = (DisruptionBudget(name="web", disruptions_allowed=allowed),) if dice.random() < 0.4 else ()
    workload = Workload(kind="Deployment", name="web", replicas=4, ready=ready)
    known = {
        "live": LiveLook(workload=workload, budgets=budgets, unshared=()),
        "workload_object": WorkloadObject(kind="Deployment", name="web", labels=labels),
        "google_identity": dice.choice(["web@example.com", "principal://x"]),
    }
    kept = {name: value if dice.random() < 0.9 else None for name, value in known.items()}
    return {**kept, "namespace": replace(facts.namespace, labels=labels)}
