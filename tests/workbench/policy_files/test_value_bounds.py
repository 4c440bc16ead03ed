"""Every number, length of time, share and day that people write has bounds, which only the desk holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from msgspec import inspect

from scc_responder.actions import actions
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.value import BOUNDS
from scc_responder.policy.compiled import COMPILED_FILE, load_deployed
from scc_responder.policy.guardrails import Exemption
from scc_responder.policy.match import Match
from scc_responder.workbench.deployment.deployed_zip import deployed_files
from scc_responder.workbench.policies.policy_lint import lint
from scc_responder.workbench.policies.policy_schema import FILE_KINDS, schema
from scc_responder.workbench.policy_files.policy_file import compile_policies, load_policies
from scc_responder.workbench.policy_files.value_bounds import (
    Bounds,
    fields_of,
    types_within,
)
from tests.kits.responder import policy, write_policies
from tests.workbench.policies.test_odd_values import EVERYTHING

TODAY = date(2026, 3, 2)
NO_MEASURES = {
    "action", "address", "cluster", "condition", "description", "finding", "from", "identity", "lowered_by", "name",
    "namespace", "of", "order", "owner", "policy", "reason", "ticket", "timezone", "to", "version",
}  # fmt: skip
"""Fields of texts that say no number, no time and no share."""

MEASURES = (inspect.IntType, inspect.FloatType, inspect.DateType, inspect.DateTimeType)


def written() -> list[type]:
    """Every type that people write, in files and as parameters of actions."""
    return types_within(*FILE_KINDS.values(), *(action.params for action in actions().values()))


def parts(kind: inspect.Type, *, bounded: bool = False) -> Iterator[tuple[inspect.Type, bool]]:
    """Each simple type in a field's type, and whether something bounds it."""
    if isinstance(kind, inspect.Metadata):
        bounded = bounded or BOUNDS in (kind.extra or {}) or "pattern" in (kind.extra_json_schema or {})
        yield from parts(kind.type, bounded=bounded)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from parts(one, bounded=bounded)
    else:
        yield kind, bounded or getattr(kind, "le", None) is not None


def unbounded(kind: type) -> Iterator[str]:
    """The fields of a type that may be a measure of something, and that nothing bounds."""
    described = inspect.type_info(kind)
    for field in described.fields if isinstance(described, inspect.StructType) else ():
        for part, bounded in parts(field.type):
            is_text = isinstance(part, inspect.StrType) and field.encode_name not in NO_MEASURES
            if not bounded and (is_text or isinstance(part, MEASURES)):
                yield f"{kind.__name__}.{field.encode_name}"


def test_every_measure_has_bounds() -> None:
    """Whoever adds a number, a day or a text to a file says what bounds it, or that it measures nothing."""
    assert {place for kind in written() if kind is not Match for place in unbounded(kind)} == set()
    bounded = {f"{kind.__name__}.{field.written}" for kind in written() for field in fields_of(kind) if field.bounds}
    assert {"Limit.most", "StormBreaker.within", "CordonNodeParams.release_after", "ShippedMode.share"} <= bounded


def test_a_measure_without_bounds_is_found() -> None:
    """The walk sees a plain number, a plain text and a day."""
    made = msgspec.defstruct("Made", [("count", int), ("within", str), ("day", date | None, None)])
    assert list(unbounded(made)) == ["Made.count", "Made.within", "Made.day"]


FILES: dict[str, Any] = {
    "guardrails.yaml": {
        "protected": {},
        "exemptions": [
            {"name": "e", "when": EVERYTHING, "expires": "2026-12-31", "owner": "o", "reason": "r", "ticket": "t"}
        ],
        "approval": {"approvers": [f"{name}@example.com" for name in "abcdefghijklmnopqrstuvwxyz"], "needed": 1}
        | {"expires": "1h"},
        "limits": {"cluster": [{"most": 1, "within": "1h"}], "owner": [{"most": "5%", "within": "1h"}]},
        "environments": [{"name": "prod", "clusters": [EVERYTHING["cluster"]], "share": "50%"}],
        "cluster_share": "25%",
        "storm_breaker": {"targets": 5, "denials": 5, "within": "10m"},
        "warm_up": "10s",
        "max_finding_age": {"irreversible": "30m", "reversible": "24h"},
        "accepted": [{"warning": "limit_off", "owner": "o", "reason": "r", "expires": "2026-12-31"}],
    },
    "routes.yaml": {
        "routes": {"ops": {"receiver": "signed_webhook", "address": "ops-hook", "burst": 20}},
        "fallback": ["ops"],
    },
    "odd.yaml": {
        "name": "odd",
        "description": "For a test.",
        "owner": "secops@example.com",
        "mode": "approve",
        "modes": [{"mode": "enforce", "clusters": [EVERYTHING["cluster"]], "share": "5%"}],
        "when": {"threat": ["reverse_shell"]},
        "then": [
            {"action": "cordon_node", "with": {"release_after": "24h"}},
            {"action": "capture_evidence"},
            {"action": "delete_pod", "with": {"grace_period_seconds": 5}},
        ],
        "limits": [{"most": 1, "within": "24h"}],
    },
    "odd.test.yaml": {
        "policy": "odd",
        "cases": [
            {"name": "c", "finding": "reverse_shell", "age": "1m", "expect": {"then": ["notify"]}},
            {"name": "d", "finding": "reverse_shell", "at": "2026-03-02T12:00:00Z", "expect": {"then": ["notify"]}},
        ],
    },
    "guardrails.test.yaml": {
        "cases": [
            {"name": "c", "finding": "reverse_shell", "do": ["notify"], "times": 3, "expect": {"then": ["notify"]}}
        ]
    },
}
"""Files with every measure that there is, but those of `shipped.yaml`."""


def beyond(value: Any) -> Iterator[tuple[Any, Any]]:
    """The value with a number, length, share or day in it that no field takes, and which of them it was."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from (({**value, key: other}, (key, *place)) for other, place in beyond(item))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from (
                ([*value[:index], other, *value[index + 1 :]], (index, *place)) for other, place in beyond(item)
            )
    elif isinstance(value, int):
        yield from ((odd, ()) for odd in (-1, 0, 10_001))
    elif str(value).endswith("Z"):
        yield from ((odd, ()) for odd in ("0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"))
    elif str(value).startswith("2026"):
        yield from ((odd, ()) for odd in ("1999-12-31", "2100-01-01", "9999-12-31"))
    elif str(value)[:1].isdigit():
        yield from ((odd, ()) for odd in (("0%", "101%") if value.endswith("%") else ("366d", "999999d")))


BEYOND = [(file, changed, place) for file, whole in FILES.items() for changed, place in beyond(whole)]


def named(place: tuple[Any, ...]) -> str:
    """The field of a place."""
    return next(part for part in reversed(place) if isinstance(part, str))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of policies with one of everything."""
    made = tmp_path / "policies"
    made.mkdir()
    for name, content in FILES.items():
        (made / name).write_text(yaml.safe_dump(content, sort_keys=False))
    return made


def test_everything_within_its_bounds_is_right(folder: Path) -> None:
    """What is changed below has no other mistake, and every field with bounds is among it."""
    assert lint(folder, TODAY).errors == ()
    tried = {named(place) for _, _, place in BEYOND}
    of_files = {field.written for kind in written() for field in fields_of(kind) if field.bounds}
    assert of_files - tried == set()


@pytest.mark.parametrize(
    ("file", "changed", "place"),
    BEYOND,
    ids=[f"{file}-{place}-{number}" for number, (file, _, place) in enumerate(BEYOND)],
)
def test_what_is_beyond_is_told_by_file_line_and_field(folder: Path, file: str, changed: Any, place: Any) -> None:
    """One error, with the bounds or what to write instead; commands that only look take the folder as before."""
    text = yaml.safe_dump(changed, sort_keys=False)
    (folder / file).write_text(text)
    (fault,) = lint(folder, TODAY).errors
    assert fault.file == file
    assert named(place) in text.splitlines()[fault.line - 1]
    assert fault.path.endswith(named(place))
    assert re.search("write |expected |use mode|are needed", fault.text)


@pytest.mark.parametrize(
    "bounds", [Bounds(1, 20), Bounds("1s", "7d"), Bounds("2%", "50%"), Bounds("2000-01-01", "2099-12-31")]
)
def test_both_bounds_are_within(bounds: Bounds) -> None:
    """The least and the most are right, what is further is told with both."""
    outside = {
        "number": ((0, "0 is too small"), (21, "21 is too large")),
        "length": (("0s", "'0s' is too short"), ("8d", "'8d' is too long")),
        "share": (("1%", "'1%' is too small"), ("51%", "'51%' is too large")),
        "day": (("1999-12-31", "'1999-12-31' is too early"), (date(2100, 1, 1), "2100-01-01 is too late")),
    }
    assert (bounds.broken_by(bounds.least), bounds.broken_by(bounds.most)) == ("", "")
    for value, told in outside[bounds.kind]:
        assert bounds.broken_by(value) == f"{told}; write {bounds.least} to {bounds.most}"


def test_what_stands_by_default_is_right() -> None:
    """Each default that says a measure is within the bounds of its field."""
    defaults = [
        (field.bounds[type(field.default)], field.default)
        for kind in written()
        for field in fields_of(kind)
        if field.default and type(field.default) in field.bounds
    ]
    assert len(defaults) > 10
    assert [default for bounds, default in defaults if bounds.broken_by(default)] == []


def test_editors_know_the_bounds() -> None:
    """The schema of a file has them: as numbers, or in words."""
    parts = schema("guardrails")["$defs"]
    number, share = parts["Limit"]["properties"]["most"]["anyOf"]
    assert (number["minimum"], number["maximum"], share["pattern"]) == (1, 10_000, "^([1-9][0-9]?|100)%$")
    assert parts["StormBreaker"]["properties"]["within"]["description"] == "A number and a unit: 1s to 7d."
    assert parts["Exemption"]["properties"]["expires"]["description"] == "A day: 2000-01-01 to 2099-12-31."
    assert schema("policy")["$defs"]["CordonNodeParams"]["properties"]["release_after"]["description"].endswith("90d.")


def test_a_function_starts_with_what_the_last_release_took(tmp_path: Path) -> None:
    """A compiled pack is not asked for bounds, nor are policies that are compared; no new zip is made of them."""
    long = policy("delete_pod") + "limits: [{most: 20000, within: 999999d}]\n"
    written = write_policies(tmp_path / "policies", long)
    loaded = load_policies(written)
    (written / COMPILED_FILE).write_bytes(compile_policies(written))
    assert load_deployed(written) == loaded
    assert loaded.policies[0].limits[0].within == "999999d"
    with pytest.raises(PolicyError, match="'999999d' is too long; write 1s to 30d"):
        deployed_files(written)


@pytest.mark.parametrize("day", ["9999-12-31", "9999-12-30", "2026-03-02"])
def test_an_exemption_holds_on_its_last_day(day: str) -> None:
    """Also where it is the last one that there is: what the last release took ends in no traceback."""
    data = {**FILES["guardrails.yaml"]["exemptions"][0], "expires": day}
    noon = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) + timedelta(hours=12)
    assert noon < msgspec.convert(data, Exemption).ends


@pytest.mark.parametrize(("warm_up", "told"), [("29m", 0), ("30m", 1), ("2h", 1), ("0s", 0)])
def test_a_first_act_does_not_wait_until_its_finding_is_too_old(folder: Path, warm_up: str, told: int) -> None:
    """Nothing would ever be done that cannot be undone."""
    (folder / "guardrails.yaml").write_text(json.dumps(FILES["guardrails.yaml"] | {"warm_up": warm_up}))
    faults = lint(folder, TODAY).errors
    assert len(faults) == told
    assert all("max_finding_age.irreversible, 30m, lets" in fault.text for fault in faults)
