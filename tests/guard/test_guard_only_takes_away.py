"""Guardrails only ever take away, and nothing that stands in a policy gives it back: for any target, at any time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.context import Context, Identity
from scc_responder.domain.finding import CloudRunTarget, PodRef
from scc_responder.domain.mode import Mode, capped
from scc_responder.guard.guard import guard
from scc_responder.policy.decide import Decision, decide
from scc_responder.policy.guardrails import Ceiling, Exemption, Guardrails, Protected, QuietHours
from scc_responder.policy.hours import Day
from scc_responder.policy.match import Match
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.decision_contexts import EVENT, NODE, POD, REF, context
from tests.kits.responder import policy, write_policies

RUN = CloudRunTarget(kind="service", project="example-project", location="europe-west1", name="web")
SOME = st.sampled_from
CHANGING = [name for name, action in actions().items() if not action.observes]
POLICIES = [
    policy(*(f"{name} {{allow_standalone: true}}" if name == "delete_pod" else name for name in actions()), mode=mode)
    for mode in Mode
]


def some_of(*values: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """A few of these."""
    return st.lists(SOME(values), max_size=2, unique=True).map(tuple)


FINDINGS = st.fixed_dictionaries(
    {},
    optional={
        "cluster": SOME([REF, replace(REF, name="test-1"), None]),
        "cloud_run": SOME([RUN, None]),
        "pods": SOME([(), (PodRef(namespace="shop", name="web-1"),), (PodRef(namespace="kube-system", name="dns"),)]),
        "principal": SOME(["", "admin@example.com"]),
        "method_name": SOME(["", "google.iam.admin.v1.CreateServiceAccountKey"]),
        "contradictions": SOME([(), ("pod",)]),
    },
)
PODS = st.just(False) | st.fixed_dictionaries(
    {}, optional={"owners": SOME([(), POD.owners, POD.owners[:1]]), "namespace": SOME(["shop", "bank"])}
)
MISSING = st.dictionaries(SOME(["owner", "node", "pod", "related"]), st.just("not_found"), max_size=2)


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    """Targets of which some facts are missing, with identities of every level."""
    level = draw(SOME(["proved", "likely", "refuted", "unknown"]))
    return context(
        finding=draw(FINDINGS),
        pod=draw(PODS),
        node=draw(SOME([NODE, None])),
        related=draw(SOME([(), None])),
        missing=draw(MISSING),
        identity=Identity(level=level, reason="for_a_test"),
    )


CLUSTERS = some_of(REF.path, "projects/*/locations/*/clusters/*", "projects/*/locations/*/clusters/test-*")
NAMESPACES = some_of("shop", "b*", "*", "kube-system")
PROTECTED = st.builds(
    Protected,
    namespaces=NAMESPACES,
    workloads=some_of("shop/Deployment/web", "*/Pod/*", "bank/*/*"),
    nodes=some_of("node-1", "*", "other"),
    clusters=CLUSTERS,
    services=some_of("projects/*/locations/*/services/*", "projects/*/locations/*/jobs/*"),
    locations=some_of("europe-west1", "us-*"),
    principals=some_of("admin@example.com", "*@example.org"),
)
NAMES = st.from_regex(r"[a-z]{1,4}", fullmatch=True)
CEILINGS = st.builds(
    Ceiling,
    name=NAMES,
    max_mode=SOME(Mode),
    clusters=CLUSTERS,
    namespaces=NAMESPACES,
    actions=some_of(*CHANGING),
)
QUIET = st.builds(
    QuietHours,
    name=NAMES,
    start=SOME(["00:00", "09:00", "22:00"]),
    end=SOME(["06:00", "10:00", "24:00"]),
    days=some_of(*Day),
    timezone=SOME(["UTC", "Europe/Berlin", "America/New_York"]),
    clusters=CLUSTERS,
    max_mode=SOME(Mode),
)
MATCHES = st.builds(
    Match,
    namespace=SOME(["shop", "bank", None]),
    node_pool=SOME(["pool-1", "other", None]),
    location=SOME(["europe-*", "us-*", None]),
    service=SOME(["web", "other", None]),
    workload=SOME(["Deployment/web", None]),
    confidence=SOME(["likely", "confirmed", None]),
    labels=SOME([{"app": "web"}, None]),
    threat=SOME(["reverse_shell", "other"]),
)
EXEMPTIONS = st.builds(
    Exemption,
    name=NAMES,
    when=MATCHES,
    actions=some_of(*CHANGING),
    expires=SOME(["2026-03-01", "2026-03-02", "2026-03-02T09:31Z", "2027-01-01"]),
    owner=st.just("o@example.com"),
    reason=st.just("r"),
    ticket=st.just("T-1"),
)


def lists(of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """None, one or two."""
    return st.lists(of, max_size=2).map(tuple)


RAILS = st.builds(
    Guardrails,
    protected=PROTECTED | st.just(Protected()),
    max_mode=SOME(Mode),
    ceilings=lists(CEILINGS),
    quiet_hours=lists(QUIET),
    exemptions=lists(EXEMPTIONS),
)
MOMENTS = st.integers(-120, 60 * 48).map(lambda minutes: EVENT + timedelta(minutes=minutes))


def allowed(decision: Decision) -> dict[tuple[int, int], tuple[int, Any]]:
    """What each policy may do, and how far: of actions that observe too."""
    order = tuple(Mode)
    return {
        (number, index): (order.index(answer.mode), item.changes)
        for number, answer in enumerate(decision.policies)
        for index, item in enumerate(answer.actions)
        if answer.matched and item.result == "planned"
    }


def decided(found: Context) -> Decision:
    """What policies in every mode would do, unguarded."""
    with TemporaryDirectory() as folder:
        texts = [text.replace("name: contain", f"name: contain-{n}") for n, text in enumerate(POLICIES)]
        loaded = load_policies(write_policies(Path(folder), *texts)).policies
    return decide(found, tuple(replace(item, when=Match(), unless=Match()) for item in loaded))


@st.composite
def added(draw: st.DrawFn, rails: Guardrails) -> Guardrails:
    """The same guardrails with one thing more."""
    field = draw(SOME(["protected", "max_mode", "ceilings", "quiet_hours", "exemptions"]))
    if field == "max_mode":
        return replace(rails, max_mode=capped(rails.max_mode, draw(SOME(Mode))))
    if field == "protected":
        more = draw(PROTECTED)
        pairs = {name: getattr(rails.protected, name) + getattr(more, name) for name in more.__struct_fields__}
        return replace(rails, protected=Protected(**pairs))
    one = draw({"ceilings": CEILINGS, "quiet_hours": QUIET, "exemptions": EXEMPTIONS}[field])
    items = list(getattr(rails, field))
    items.insert(draw(st.integers(0, len(items))), one)
    return replace(rails, **{field: tuple(items)})


@given(found=contexts(), rails=RAILS, now=MOMENTS, data=st.data())
@settings(max_examples=300)
def test_one_more_never_allows_more(found: Context, rails: Guardrails, now: Any, data: st.DataObject) -> None:
    """With one more protection, ceiling, quiet time or exemption, nothing is allowed that was not, nor goes further."""
    decision = decided(found)
    before = allowed(guard(found, decision, rails, now))
    after = allowed(guard(found, decision, data.draw(added(rails)), now))
    unguarded = allowed(decision)
    assert after.keys() <= before.keys() <= unguarded.keys()
    assert all(after[key][0] <= before[key][0] <= unguarded[key][0] for key in after)
    assert all(after[key][1] == unguarded[key][1] for key in after)


WORDS = st.text("abc*", min_size=1, max_size=3)
STEPS = st.lists(
    SOME([*CHANGING, "delete_pod {allow_standalone: true, allow_daemonset: true, identity: likely}"]),
    min_size=1,
    unique=True,
)


UNLESS = st.dictionaries(SOME(["namespace", "workload", "principal"]), WORDS, max_size=2)
TEXTS = st.builds(
    lambda steps, mode, unless: policy(*steps, mode=mode) + f"unless: {msgspec.json.encode(unless).decode()}\n",
    STEPS,
    SOME(Mode),
    UNLESS,
)


@given(found=contexts(), text=TEXTS, rails=RAILS, now=MOMENTS)
@settings(max_examples=150)
def test_no_policy_lifts_one(found: Context, text: str, rails: Guardrails, now: Any) -> None:
    """Whatever a policy says, it changes nothing that is protected, and goes no further than its ceiling."""
    rails = replace(rails, protected=Protected(namespaces=("*",), clusters=rails.protected.clusters))
    with TemporaryDirectory() as folder:
        loaded = load_policies(write_policies(Path(folder), text)).policies
    answer = guard(found, decide(found, loaded), rails, now).policies[0]
    assert [item for item in answer.actions if item.result == "planned"] == []
    assert capped(answer.mode, rails.max_mode) == answer.mode


@given(found=contexts(), rails=RAILS, now=MOMENTS)
@settings(max_examples=100)
def test_google_agents_are_beyond_guardrails(found: Context, rails: Guardrails, now: Any) -> None:
    """Google's own agents are protected under any guardrails: nothing in the file can lift that."""
    agent = (PodRef(namespace="kube-system", name="container-watcher-x1y2z"),)
    found = replace(found, finding=replace(found.finding, pods=agent))
    guarded = guard(found, decided(found), replace(rails, protected=Protected()), now)
    changing = [item for answer in guarded.policies for item in answer.actions if item.action in CHANGING]
    assert [item for item in changing if item.result == "planned"] == []
