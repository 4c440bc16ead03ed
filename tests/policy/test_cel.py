"""A policy's `condition`: what it may ask, what is told of a wrong one, and that missing data never makes one hold."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.domain.asked_facts import WorkloadObject
from scc_responder.domain.context import Context, LiveLook, Namespace, RelatedFinding, Workload
from scc_responder.domain.finding import CloudRunTarget, Connection, FindingContainer, Process
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.policy.cel import CelFacts, evaluate
from scc_responder.policy.decide import decide, match
from scc_responder.policy.match import Match
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policy_files.cel_mistakes import MAX_EXPRESSION_BYTES, condition_mistakes
from tests.kits.decision_contexts import EVENT, POD, THREAT, context

PROCESSES = (Process(binary="/tmp/x", args=("-c", "id"), pid=7), Process(name="sh"))
DAEMON_SET = LiveLook(workload=Workload(kind="DaemonSet", name="web"))
RUN = CloudRunTarget(kind="service", project="example-project", location="l", name="s")
RICH: dict[str, Any] = {
    "finding": {
        "processes": PROCESSES,
        "connections": (Connection(destination_ip="192.0.2.7", destination_port=4444, source_ip="198.51.100.1"),),
        "cloud_run": RUN,
        "principal": "secops@example.com",
        "indicators": ("192.0.2.7",),
    },
    "workload_object": WorkloadObject(kind="Deployment", name="web", labels={"team": "shop"}),
    "google_identity": "web@example-project.iam.gserviceaccount.com",
    "now": EVENT + timedelta(minutes=5),
    "namespace": Namespace(name="shop", uid="u", labels={"env": "prod"}),
    "related": (RelatedFinding(name="r", category="Reverse Shell", event_time=EVENT),),
}


def rich() -> Context:
    """A context in which every fact is known that the expressions below ask for."""
    return context(**RICH)


def policy_of(expression: str) -> Policy:
    """A policy with this condition and no other."""
    return Policy(
        name="p",
        description="",
        owner="",
        mode=Mode.ENFORCE,
        when=Match(threat="*"),
        unless=Match(),
        condition=expression,
        then=(),
    )


HOLDING = [
    'pod.namespace == "shop"',
    'pod.labels["app"] == "web" && "app" in pod.labels',
    'pod.owners.exists(owner, owner.kind == "Deployment")',
    'pod.name.matches("^web-[0-9]+$")',
    'pod.creation_time < finding.event_time && finding.event_time - pod.creation_time < duration("1h")',
    'finding.severity in ["HIGH", "CRITICAL"]',
    'finding.processes.exists(p, p.binary.startsWith("/tmp/") && "-c" in p.args)',
    "finding.processes.exists(p, p.pid == 7)",
    "finding.connections.all(c, c.destination_port == 4444)",
    'finding.cluster.name == "prod-1" && finding.cloud_run.kind == "service"',
    'finding.indicators == ["192.0.2.7"]',
    "size(finding.contradictions) == 0 && size(threat.raised_by) == 0",
    'threat.confidence == "likely" && threat.kind != "ioc"',
    "cluster.enforces_network_policy && !cluster.autopilot && !node.unschedulable",
    'cluster.ref.location == "europe-west1"',
    'namespace_object.labels["env"] == "prod"',
    'node.node_pool.startsWith("pool-")',
    'related.exists(r, r.category == "Reverse Shell")',
    'identity.level == "proved" && identity.checks["node"] == "held"',
    'pod.containers.filter(c, c.name == "app").map(c, c.image)[0].endsWith(":1.4.2")',
    'pod.host_network ? false : pod.phase == "Running"',
    'finding.connections.all(c, ip.in_cidr(c.destination_ip, "192.0.2.0/24"))',
    '!ip.in_cidr(finding.connections[0].source_ip, "2001:db8::/32")',
    'finding.principal.split("@")[1].upperAscii() == "EXAMPLE.COM"',
    "live.workload.ready >= 3 && live.workload.replicas == 4 && live.budgets.all(b, b.disruptions_allowed > 0)",
    'workload_object.labels["team"] == "shop" && workload_object.kind == "Deployment"',
    'google_identity.endsWith("@example-project.iam.gserviceaccount.com")',
    'now.getHours("Europe/Berlin") == 10 && now - finding.event_time == duration("300s")',
]


@pytest.mark.parametrize("expression", HOLDING)
def test_what_can_be_asked(expression: str) -> None:
    """Every fact of the context can be asked for, and its opposite differs."""
    assert list(condition_mistakes(expression, ("condition",))) == []
    assert match(rich(), policy_of(expression)) == "matched"
    assert match(rich(), policy_of(f"!({expression})")) == Reason.CONDITION_DIFFERS


NO_POD: dict[str, Any] = {"pod": False}
MISSING = [
    pytest.param('pod.namespace != "x"', NO_POD, "condition_pod_missing", id="pod"),
    pytest.param('!pod.namespace.startsWith("x")', NO_POD, "condition_pod_missing", id="pod-not"),
    pytest.param('identity.level != "refuted"', NO_POD, "condition_identity_missing", id="identity-without-pod"),
    pytest.param("now.getHours() != 3", {"now": None}, "condition_now_missing", id="now"),
    pytest.param("live.workload.ready < 2", {"live": None}, "condition_live_missing", id="live"),
    pytest.param("live.workload.ready < 2", {"live": LiveLook()}, "condition_workload_missing", id="live-workload"),
    pytest.param("!(live.workload.ready < 2)", {"live": DAEMON_SET}, "condition_ready_missing", id="no-replicas"),
    pytest.param("size(live.budgets) == 0", {"live": LiveLook()}, "condition_budgets_missing", id="live-budgets"),
    pytest.param(
        "live.workload.ready != 0",
        {"missing": {"owner": "timeout"}},
        "condition_workload_missing",
        id="live-of-half-a-chain",
    ),
    pytest.param(
        '!("x" in workload_object.labels)', {"workload_object": None}, "condition_workload_missing", id="workload"
    ),
    pytest.param('google_identity != "x"', {}, "condition_google_identity_missing", id="google-identity"),
    pytest.param('node.node_pool != "x"', {"node": None}, "condition_node_missing", id="node"),
    pytest.param('namespace_object.name != "x"', {}, "condition_namespace_missing", id="namespace"),
    pytest.param("!cluster.autopilot", {"cluster": None}, "condition_cluster_missing", id="cluster"),
    pytest.param("size(related) == 0", {"related": None}, "condition_related_missing", id="related"),
    pytest.param(
        'threat.confidence != "confirmed"', {"related": None}, "condition_confidence_missing", id="perhaps-raised"
    ),
    pytest.param("size(threat.raised_by) == 0", {"related": None}, "condition_raised_by_missing", id="raised-by"),
    pytest.param(
        'finding.cluster.name != "x"', {"finding": {"cluster": None}}, "condition_cluster_missing", id="of-the-finding"
    ),
    pytest.param('finding.cloud_run.name != "x"', {}, "condition_cloud_run_missing", id="cloud-run"),
    pytest.param('finding.principal != "x"', {}, "condition_principal_missing", id="empty-text"),
    pytest.param("!finding.processes.exists(p, p.pid == 1)", {}, "condition_processes_missing", id="empty-list"),
    pytest.param("finding.files.all(f, f.whole_file)", {}, "condition_files_missing", id="all-of-none"),
    pytest.param(
        'pod.deletion_time != timestamp("2026-01-01T00:00:00Z")', {}, "condition_deletion_time_missing", id="no-time"
    ),
    pytest.param('pod.labels["tier"] != "x"', {}, "condition_key_missing", id="label"),
    pytest.param(
        "!pod.owners.exists(o, o.kind == 'Job')",
        {"missing": {"owner": "timeout"}},
        "condition_owners_missing",
        id="half-a-chain",
    ),
    pytest.param(
        "finding.connections.all(c, c.destination_port != 22)",
        {"finding": {"connections": (Connection(destination_ip="192.0.2.7"),)}},
        "condition_destination_port_missing",
        id="port-0",
    ),
    pytest.param(
        "!finding.processes.exists(p, p.pid == 1)",
        {"finding": {"processes": (Process(pid=7),), "truncated": ("processes",)}},
        "condition_pid_missing",
        id="a-list-that-was-cut",
    ),
    pytest.param(
        'finding.processes.all(p, p.args.all(a, a != "curl"))',
        {"finding": {"processes": (Process(args=("sh",), args_truncated=True),)}},
        "condition_args_missing",
        id="arguments-that-were-cut",
    ),
    pytest.param(
        'finding.connections.all(c, c.destination_ip.startsWith("10."))',
        {"finding": {"connections": (Connection(destination_ip="10.0.0.1"),), "truncated": ("connections",)}},
        "condition_destination_ip_missing",
        id="connections-that-were-cut",
    ),
    pytest.param(
        'namespace_object.labels["example.com/tier"] == "3"',
        {"namespace": Namespace(name="shop", uid="u", labels={"a": "b"})},
        "condition_key_missing",
        id="a-key-with-a-prefix",
    ),
    pytest.param("int(pod.name) != 1", {}, "condition_error", id="no-number"),
    pytest.param('!ip.in_cidr(pod.name, "10.0.0.0/8")', {}, "condition_error", id="no-address"),
    pytest.param(
        '!ip.in_cidr(finding.connections[0].destination_ip, "10.0.0.0/8")',
        {},
        "condition_connections_missing",
        id="address-unknown",
    ),
]


@pytest.mark.parametrize(("expression", "changes", "reason"), MISSING)
def test_missing_data_satisfies_nothing(expression: str, changes: dict[str, Any], reason: str) -> None:
    """What is not known satisfies neither a condition nor its opposite, and the reason names it."""
    assert list(condition_mistakes(expression, ())) == []
    for asked in (expression, f"!({expression})"):
        assert match(context(**changes), policy_of(asked)) == reason
        decided = decide(context(**changes), (policy_of(asked),)).policies[0]
        assert (decided.matched, decided.reason, decided.actions) == (False, reason, ())


def test_a_list_that_was_cut_still_shows_what_it_shows() -> None:
    """Of a list that was cut, what can be seen is known: only that something is not in it can never be said."""
    cut = context(finding={"processes": (Process(pid=7),), "truncated": ("processes",)})
    assert match(cut, policy_of("finding.processes.exists(p, p.pid == 7)")) == "matched"


def test_an_attackers_text_stands_in_no_reason() -> None:
    """A key that an attacker wrote does not reach the record as a reason."""
    hostile = context(finding={"principal": 'x" found in Activation'}, pod={"labels": {}})
    assert match(hostile, policy_of("pod.labels[finding.principal] == 'a'")) in {
        "condition_key_missing",
        "condition_error",
    }


WRONG = [
    pytest.param("pod.namespce == 'x'", "column 4: unknown field 'namespce' of Pod; expected one of", id="field"),
    pytest.param("pod.namespce == 'x'", "; did you mean 'namespace'?", id="suggested"),
    pytest.param("pods.name == 'x'", "unknown word 'pods'; expected one of finding, threat,", id="word"),
    pytest.param("finding.cluster.nam == 'x'", "of ClusterRef; expected one of project, location, name;", id="nested"),
    pytest.param("finding.processes.exists(p, p.bin == 'x')", "unknown field 'bin' of Process", id="in-a-list"),
    pytest.param("pod.name", "expected true or false, got string; compare it with something", id="no-bool"),
    pytest.param("pod.name == 1", "'==' cannot be asked of string and int; both sides must be of one type", id="types"),
    pytest.param("pod == pod", "'==' cannot be asked of Pod and Pod; compare a field of it", id="records"),
    pytest.param("pod.owners != pod.owners", "cannot be asked of list(Owner) and list(Owner)", id="lists-of-records"),
    pytest.param("pod.owners[0] in pod.owners", "'in' cannot be asked of Owner", id="record-in-list"),
    pytest.param("finding.severity >= 'HIGH'", "texts have no order; name them: finding.severity in", id="order"),
    pytest.param("has(pod.labels.app)", "'has' is not allowed; what is missing satisfies nothing", id="has"),
    pytest.param("!has(finding.cluster)", "'has' is not allowed", id="has-not"),
    pytest.param("dyn(pod).x == 1", "'dyn' is not allowed; write the field itself", id="dyn"),
    pytest.param("type(pod.name) == string", "'type' is not allowed", id="type"),
    pytest.param("namespace.name == 'x'", "a word of CEL's own; write 'namespace_object'", id="reserved"),
    pytest.param("objects.size() == 0", "unknown word 'objects'", id="evidence"),
    pytest.param("missing.size() == 0", "unknown word 'missing'", id="missing"),
    pytest.param("scc.Pod{name: 'x'}.name == 'x'", "unknown word 'scc'", id="made-up-record"),
    pytest.param("pod.name.matches('[')", "'[' is no regular expression of RE2", id="regex"),
    pytest.param("(", "Syntax error", id="syntax"),
    pytest.param("(" * 200 + "true" + ")" * 200, "nested too deeply", id="nested-too-deep"),
    pytest.param("  ", "empty; write an expression or remove it", id="blank"),
    pytest.param(
        f"pod.name == '{'a' * MAX_EXPRESSION_BYTES}'", f"at most {MAX_EXPRESSION_BYTES} are allowed", id="too-long"
    ),
    pytest.param("\ud800", "no text that can be read", id="surrogate"),
]


@pytest.mark.parametrize(("expression", "told"), WRONG)
def test_a_wrong_condition_is_refused_with_help(expression: str, told: str) -> None:
    """A wrong expression is refused when it is read, with what could have stood there."""
    found = list(condition_mistakes(expression, ("condition",)))
    assert [told in mistake.text for mistake in found][:1] == [True]
    assert {mistake.path for mistake in found} == {("condition",)}


def test_a_caret_marks_the_mistake() -> None:
    """A mistake is shown in its line, with a caret below it; several are all told."""
    first, second = condition_mistakes("pod.nam == 'x'\n  || nod.name == 'y'", ("condition",))
    assert (first.row, first.detail) == (1, "pod.nam == 'x'\n   ^")
    assert (second.row, second.detail) == (2, "  || nod.name == 'y'\n        ^")


ATOMS = [expression for expression in HOLDING if "?" not in expression]


def without(part: str, **gone: Any) -> Callable[[Context], Context]:
    """Takes facts of one part of the context away, if it is there."""

    def change(known: Context) -> Context:
        value = getattr(known, part)
        return known if value is None else replace(known, **{part: replace(value, **gone)})

    return change


def without_in(items: str, **gone: Any) -> Callable[[Context], Context]:
    """Takes facts of each item of a list of the finding away."""
    return lambda known: replace(
        known,
        finding=replace(
            known.finding, **{items: tuple(replace(item, **gone) for item in getattr(known.finding, items))}
        ),
    )


REMOVALS: dict[str, Callable[[Context], Context]] = {
    **{
        part: lambda known, part=part: replace(known, **{part: None})  # type: ignore[misc]
        for part in ("pod", "node", "namespace", "cluster", "related")
    },
    **{
        f"finding.{name}": without("finding", **{name: empty})
        for name, empty in {
            "cluster": None,
            "cloud_run": None,
            "severity": "",
            "processes": (),
            "connections": (),
            "indicators": (),
        }.items()
    },
    "owner": lambda known: replace(known, missing={"owner": "timeout"}),
    "threat.kind": without("threat", kind=""),
    "pod.phase": without("pod", phase="", node_name=""),
    "cluster.autopilot": without("cluster", autopilot=None),
    "ports": without_in("connections", destination_port=0),
    "pids": without_in("processes", pid=None),
    "cut": without("finding", truncated=("processes",)),
}
"""Each takes one fact away from a context."""


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """What can be asked, denied and joined."""
    parts = draw(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=4))
    denied = [f"!({part})" if draw(st.booleans()) else f"({part})" for part in parts]
    return reduce(lambda left, right: f"({left} {draw(st.sampled_from(['&&', '||']))} {right})", denied)


@given(expressions(), st.lists(st.sampled_from(sorted(REMOVALS)), min_size=1, max_size=5, unique=True))
def test_less_knowledge_never_satisfies(expression: str, removals: list[str]) -> None:
    """Whatever is taken away, no expression comes to hold, nor to differ, that did not: it can only become unknown."""
    known = rich()
    less = reduce(lambda left, name: REMOVALS[name](left), removals, known)
    before, after = evaluate(expression, CelFacts(known)), evaluate(expression, CelFacts(less))
    assert before in {Reason.MATCHED, Reason.CONDITION_DIFFERS}
    assert after == before or after not in {Reason.MATCHED, Reason.CONDITION_DIFFERS}


@given(
    st.text(max_size=60) | st.lists(st.sampled_from([*"().!&|\"'[]{} ", "pod", "name", "==", "in", "1"])).map("".join)
)
def test_any_text_is_refused_or_evaluated(expression: str) -> None:
    """No text breaks the check; what it lets pass is answered."""
    if expression and not list(condition_mistakes(expression, ())):
        assert evaluate(expression, CelFacts(rich())).startswith((Reason.MATCHED, "condition_"))


def test_hostile_texts_cost_little() -> None:
    """Neither a pattern nor nested loops over what an attacker sent can hold up a decision: they end as an error."""
    hostile = context(
        finding={"processes": tuple(Process(binary="a" * 4000 + "!", args=("a" * 4000,) * 20) for _ in range(60))}
    )
    blown = 'finding.processes.exists(p, p.binary.matches("^(a+)+$"))'
    loop = "finding.processes.all({}, {})"
    loops = loop.format("p", loop.format("q", loop.format("r", loop.format("s", "p.binary == s.binary"))))
    assert match(hostile, policy_of(blown)) == Reason.CONDITION_DIFFERS
    assert match(hostile, policy_of(loops)) == "condition_too_large"


def test_facts_that_cel_cannot_take_are_an_error() -> None:
    """A number or text beyond CEL's own holds the policy out, and nothing is raised."""
    for changes in ({"processes": (Process(pid=2**70),)}, {"principal": "\ud800"}):
        odd = context(finding=changes)
        assert match(odd, policy_of('pod.name == "web-1" && finding.processes.exists(p, p.pid > 1)')) != "matched"


def test_the_condition_is_asked_after_unless() -> None:
    """The condition is asked last, and not at all of a disabled policy."""
    asked = replace(policy_of("pod.nam == 1"), unless=Match(threat="*"))
    assert match(context(), asked) == "unless_threat"
    assert decide(context(), (replace(asked, mode=Mode.DISABLED),)).policies[0].reason == "mode_disabled"


def test_threads_share_a_compiled_condition() -> None:
    """Several findings are decided side by side on one compiled expression."""
    asked = policy_of('pod.namespace == "shop"')
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: match(context(pod={"namespace": f"n{number % 2}"}), asked), range(400)))
        right = list(pool.map(lambda _: match(context(), asked), range(400)))
    assert set(found) == {Reason.CONDITION_DIFFERS}
    assert set(right) == {"matched"}


def test_imported_only_by_a_condition() -> None:
    """A decision without a condition loads no CEL: a cold start does not pay for it."""
    code = (
        "import sys; from tests.policy.test_cel import policy_of, rich\n"
        "from scc_responder.policy.decide import match\n"
        "assert match(rich(), policy_of('')) == 'matched' and 'cel_expr_python' not in sys.modules\n"
        "assert match(rich(), policy_of('true')) == 'matched' and 'cel_expr_python.cel' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "functions:."})


def test_the_known_facts_are_those_of_the_context() -> None:
    """What an expression sees is what was read, under the names of our own types."""
    facts = CelFacts(rich())
    known = {name: facts.fact(name) for name in ("pod", "threat", "finding")}
    assert known["pod"]["labels"] == POD.labels
    assert known["threat"]["name"] == THREAT.name
    assert known["pod"]["creation_time"].ToDatetime(EVENT.tzinfo) == POD.creation_time
    assert known["finding"]["event_time"].ToDatetime(EVENT.tzinfo) - EVENT == timedelta(0)
    assert known["finding"]["containers"][0]["name"] == FindingContainer(name="app").name
