"""A condition on long lists is answered as on short ones, and where it cannot be, the reason says so."""

from __future__ import annotations

from functools import reduce
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc_responder.domain import finding as finding_types
from scc_responder.domain.context import Context
from scc_responder.domain.finding import Connection, FindingFile, KubernetesObject, Process
from scc_responder.domain.text import MAX_TEXT_BYTES, visible
from scc_responder.intake.activity import MAX_ARGS, MAX_FILES, MAX_INDICATORS, MAX_PROCESSES
from scc_responder.policy.cel import _MOST, CelFacts, compiled, condition_answer, evaluate, evaluator
from scc_responder.policy.cel_parts import OVER_BUDGET, ConditionInParts
from scc_responder.workbench.policies.hints import policy_hint
from tests.kits.decision_contexts import context
from tests.policy.test_cel import policy_of

ARGS = ("--quiet",) * (MAX_ARGS - 1)


def with_processes(number: int, *last: str) -> Context:
    """So many processes with as many arguments as are kept, of which the very last is another."""
    quiet = Process(binary="/bin/sh", args=(*ARGS, "--quiet"))
    loud = Process(binary="/bin/sh", args=(*ARGS, *last)) if last else quiet
    return context(finding={"processes": (*[quiet] * (number - 1), loud)})


def long_processes(number: int, *last: str) -> CelFacts:
    """The facts of such a context."""
    return CelFacts(with_processes(number, *last))


ALL = 'finding.processes.all(p, p.args.all(a, !a.contains("curl")))'
ANY = 'finding.processes.exists(p, p.args.exists(a, a.contains("curl")))'


@pytest.mark.parametrize("number", [1, 38, 39, 40, 41, MAX_PROCESSES])
@pytest.mark.parametrize(("last", "has"), [(("curl x | sh",), True), ((), False)], ids=["curl", "quiet"])
def test_as_many_as_are_kept_are_all_looked_at(number: int, last: tuple[str, ...], has: bool) -> None:
    """The last argument of the last process counts like the first, and so it does on both sides of `&&`."""
    facts = long_processes(number, *last)
    assert evaluate(ANY, facts) == ("matched" if has else "condition_differs")
    assert evaluate(ALL, facts) == ("condition_differs" if has else "matched")
    assert evaluate(f"!({ANY}) && {ALL} && !({ANY})", facts) == ("condition_differs" if has else "matched")


@pytest.mark.parametrize(
    "expression",
    [
        f"finding.processes.all(q, {ALL})",
        'finding.processes.exists_one(p, p.args.exists(a, a == "curl"))',
        'finding.processes.map(p, p.args.filter(a, a == "curl")).exists(l, "curl" in l)',
        f"finding.processes.all(q, {ALL}) || pod.name == 'x'",
    ],
)
def test_what_is_too_much_says_so(expression: str) -> None:
    """Neither it nor its opposite holds; the reason is a word of its own, and the hint has the library's."""
    facts = long_processes(MAX_PROCESSES)
    assert evaluate(expression, facts) == evaluate(f"!({expression})", facts) == "condition_too_large"
    hint = policy_hint(policy_of(expression), with_processes(MAX_PROCESSES), "condition_too_large")
    assert OVER_BUDGET in hint


PARTS = (
    "l.all(x, x.t.exists(y, y == 'a'))",
    "l.exists(x, x.t.all(y, y == 'a'))",
    "l.all(x, x.t.all(y, y != 'b'))",
    "l.exists(x, x.u == 1)",
    "l.all(x, x.u == 1 || x.t.exists(y, y == 'c'))",
    "n == 1",
)


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """Some of the parts, joined and denied."""
    parts = draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=4))
    denied = [f"!({part})" if draw(st.booleans()) else f"({part})" for part in parts]
    return reduce(lambda left, right: f"({left} {draw(st.sampled_from(['&&', '||']))} {right})", denied)


ITEMS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"t": st.lists(st.sampled_from("abc"), min_size=1, max_size=3), "u": st.integers(0, 2)}
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=150)
@given(expressions(), ITEMS, st.sampled_from([{}, {"n": 1}]))
def test_long_lists_are_answered_as_short_ones(
    expression: str, items: list[dict[str, Any]], more: dict[str, int]
) -> None:
    """An item that stands there many times changes nothing, be it known or not: in parts as at once."""
    environment = evaluator_of("l", "n")
    condition = environment.compile(expression)
    short = condition.eval(data={"l": items, **more}).value()
    long = [{**item, "t": item["t"] * 40} if "t" in item else item for item in items] * (120 // len(items))
    told = ConditionInParts(condition, environment).answer({"l": long, **more})
    if isinstance(short, bool):
        assert told is short
    else:
        assert isinstance(told, str)


def evaluator_of(*names: str) -> Any:
    """An environment with these facts."""
    from cel_expr_python import cel

    return cel.NewEnv(variables=dict.fromkeys(names, cel.Type.DYN))


CUT_ARG = visible("x" * MAX_TEXT_BYTES + "curl")
MANY_FILES = tuple(FindingFile(path=f"/tmp/{number}") for number in range(MAX_FILES))
CUT = [
    pytest.param(
        'finding.processes.all(p, p.args.all(a, !a.contains("curl")))',
        {"processes": (Process(args=("sh", CUT_ARG)),)},
        "condition_args_missing",
        id="an-argument-that-is-too-long",
    ),
    pytest.param(
        '!finding.processes[0].binary.endsWith("curl")',
        {"processes": (Process(binary=CUT_ARG),)},
        "condition_binary_missing",
        id="a-path-that-is-too-long",
    ),
    pytest.param(
        "finding.processes.size() < 5",
        {"processes": (Process(pid=7),), "truncated": ("processes",)},
        "condition_processes_missing",
        id="the-length-of-a-list-that-was-cut",
    ),
    pytest.param(
        '!("192.0.2.9" in finding.indicators)',
        {"indicators": tuple(f"i{number}" for number in range(MAX_INDICATORS))},
        "condition_indicators_missing",
        id="as-many-indicators-as-are-kept",
    ),
    pytest.param(
        'finding.processes.all(p, p.library_files.all(f, f.path.startsWith("/tmp/")))',
        {"processes": (Process(library_files=MANY_FILES),)},
        "condition_path_missing",
        id="as-many-libraries-as-are-kept",
    ),
    pytest.param(
        "finding.objects.all(o, o.subjects.all(s, s.startsWith('User')))",
        {"objects": (KubernetesObject(kind="RoleBinding", name="b", subjects=tuple(f"User{n}" for n in range(32))),)},
        "condition_subjects_missing",
        id="as-many-subjects-as-are-kept",
    ),
    pytest.param(
        "finding.connections.size() == 2",
        {"connections": (Connection(destination_ip="10.0.0.1"),), "truncated": ("connections",)},
        "condition_connections_missing",
        id="an-exact-length",
    ),
]


@pytest.mark.parametrize(("expression", "finding", "reason"), CUT)
def test_what_was_cut_is_not_known(expression: str, finding: dict[str, Any], reason: str) -> None:
    """Neither the condition nor its opposite holds, and the reason names what is missing."""
    facts = CelFacts(context(finding=finding))
    assert evaluate(expression, facts) == evaluate(f"!({expression})", facts) == reason


def test_what_stands_before_a_cut_is_known() -> None:
    """Of as many records as are kept each is looked at: only that there is no other one cannot be said."""
    facts = CelFacts(context(finding={"processes": (Process(library_files=MANY_FILES),)}))
    last = f'finding.processes.exists(p, p.library_files.exists(f, f.path == "{MANY_FILES[-1].path}"))'
    assert evaluate(last, facts) == "matched"


def test_a_text_that_only_says_it_was_cut_is_whole() -> None:
    """Whoever writes the mark of a cut at the end of a short argument hides nothing."""
    facts = CelFacts(context(finding={"processes": (Process(args=("curl[truncated]",)),)}))
    assert evaluate(ANY, facts) == "matched"


def test_nothing_is_asked_twice_where_it_fits() -> None:
    """What one evaluation can do is left to it."""
    facts = long_processes(2)
    assert condition_answer(ALL, facts) is True
    parts = ConditionInParts(compiled(ALL), evaluator())
    assert parts.answer(facts.known(ALL)) is True
    assert parts._evaluations == 1


TOLD_OTHERWISE = {
    **dict.fromkeys(("pods", "containers", "processes", "files", "connections"), "by its name in `truncated`"),
    "args": "by `args_truncated`",
    **dict.fromkeys(("contradictions", "truncated", "techniques", "techniques_inferred", "raised_by"), "never cut"),
}


def test_every_list_of_a_finding_says_how_long_it_may_be() -> None:
    """Whoever adds a list to a finding says of how many items on nothing is known, or how a cut is told."""
    kinds = [
        kind for kind in vars(finding_types).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    ]
    lists = {
        (kind.__name__, field.name)
        for kind in kinds
        for field in msgspec.structs.fields(kind)
        if str(field.type).startswith(("tuple", "dict"))
    }
    bounded = {(kind.__name__, name) for kind, most in _MOST.items() for name in most}
    assert len(bounded) > 10
    assert {(kind, name) for kind, name in lists - bounded if name not in TOLD_OTHERWISE} == set()
    assert bounded - lists == set()
