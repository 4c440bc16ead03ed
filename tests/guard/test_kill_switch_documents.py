"""The kill switch's documents: a ceiling that takes away and never gives, whatever the bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.reasons import Reason
from scc_responder.guard.kill_switch import Control, KillSwitchCeiling, Setting, ceiling, key_of, parse, under
from scc_responder.guard.switch_documents import KEEP_CHANGES, changed
from scc_responder.policy.decide import Decision, PolicyDecision
from tests.kits.decision_contexts import context

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
OTHER = "projects/example-project/locations/europe-west1/clusters/prod-2"
MODES = list(Mode)


def setting(mode: Mode = Mode.ENFORCE, reason: str = "INC-1") -> Setting:
    return Setting(mode=mode, reason=reason, by="secops@example.com", at=AT)


def stored(mode: Mode, cluster: str = "") -> bytes:
    return msgspec.json.encode(changed(None, setting(mode), cluster))


def plain(**fields: Any) -> bytes:
    """A document with other fields than a good one has; a field that is None is left out."""
    good = {"mode": "enforce", "reason": "r", "by": "b", "at": "2026-03-01T12:00:00Z"}
    return msgspec.json.encode({name: value for name, value in {**good, **fields}.items() if value is not None})


@pytest.mark.parametrize("everywhere", MODES)
@pytest.mark.parametrize("own", [None, *MODES])
def test_the_lower_counts(everywhere: Mode, own: Mode | None) -> None:
    """A cluster's document can go under what holds everywhere, and not above it."""
    special = None if own is None else stored(own, CLUSTER)
    expected = everywhere if own is None else capped(everywhere, own)
    assert ceiling(stored(everywhere), (special, CLUSTER)).mode == expected


UNUSABLE = {
    "nothing": b"",
    "no JSON": b"\xff\xfe",
    "a list": b"[]",
    "a word": b'"enforce"',
    "no mode": plain(mode=None),
    "no such mode": plain(mode="on"),
    "a mode that YAML would make": plain(mode=True),
    "a mode in other letters": plain(mode="ENFORCE"),
    "no time": plain(at=None),
    "nobody": plain(by=None),
    "no reason": plain(reason=None),
    "a later version": plain(schema=2),
    "about another cluster": plain(cluster=OTHER),
    "a history of something": plain(history="x"),
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("value", UNUSABLE.values(), ids=UNUSABLE)
def test_a_nonsense_document_means_dry_run(value: bytes) -> None:
    """A document that makes no sense means `dry_run`, everywhere and in its cluster, and says why."""
    assert ceiling(value, (None, CLUSTER)) == KillSwitchCeiling(mode=Mode.DRY_RUN, reason="control_unusable")
    assert ceiling(stored(Mode.ENFORCE), (value, CLUSTER)) == KillSwitchCeiling(
        mode=Mode.DRY_RUN, reason="control_unusable"
    )


def test_a_usable_document_ignores_later_fields() -> None:
    """The document that those above are made of is a good one; what a later version adds is passed over."""
    assert ceiling(plain(more=1), (None, CLUSTER)) == KillSwitchCeiling(mode=Mode.ENFORCE)


def test_a_missing_document_means_dry_run() -> None:
    """No document means `dry_run`: a deployment earns its powers. A cluster's document alone gives none either."""
    assert ceiling(None, (None, CLUSTER)) == KillSwitchCeiling(mode=Mode.DRY_RUN, reason="control_missing")
    assert ceiling(None, (stored(Mode.ENFORCE, CLUSTER), CLUSTER)).mode == Mode.DRY_RUN
    assert ceiling(None, (stored(Mode.DISABLED, CLUSTER), CLUSTER)).mode == Mode.DISABLED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([*map(str, MODES), CLUSTER]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
near_documents = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("mode", "reason", "by", "at", "cluster", "schema", "history"), json_values),
).map(msgspec.json.encode)
damaged = st.tuples(st.sampled_from(MODES), st.integers(0, 200), st.binary(max_size=4)).map(
    lambda item: stored(item[0])[: item[1]] + item[2] + stored(item[0])[item[1] + 1 :]
)
anything = st.binary() | near_documents | damaged


def at_most(one: Mode, other: Mode) -> bool:
    return capped(one, other) == one


@given(anything, st.sampled_from(MODES))
def test_no_bytes_raise_the_mode(value: bytes, mode: Mode) -> None:
    """Whatever stands in a cluster's document, no more is allowed than everywhere; and the other way round."""
    assert at_most(ceiling(stored(mode), (value, CLUSTER)).mode, mode)
    assert at_most(ceiling(value, (stored(mode, CLUSTER), CLUSTER)).mode, mode)


@given(anything)
@example(stored(Mode.ENFORCE)[:-1] + b',"\x80":0}')
def test_more_than_dry_run_is_said_in_so_many_words(value: bytes) -> None:
    """Bytes that allow more than `dry_run` are a whole document that names the mode, a person, a time and a reason."""
    limit = ceiling(value, (None, CLUSTER))
    if not at_most(limit.mode, Mode.DRY_RUN):
        document = msgspec.json.decode(value)
        assert document["mode"] == limit.mode
        assert {"by", "at", "reason"} <= document.keys()


@given(st.sampled_from(MODES), st.sampled_from(MODES))
def test_policies_go_no_further(limit: Mode, mode: Mode) -> None:
    """Every policy is lowered to the switch's mode, says what lowered it, and is raised by nothing."""
    policy = PolicyDecision(name="p", mode=mode, matched=True, reason=Reason.MATCHED)
    (found,) = under(KillSwitchCeiling(mode=limit), Decision(policies=(policy,)), context()).policies
    assert found.mode == capped(mode, limit)
    assert (found.mode_reason == "mode_lowered_by:control") == (found.mode != mode)


def test_history_keeps_the_latest_first() -> None:
    """What was set before is kept, the latest first, up to a bound."""
    control = None
    for number in range(KEEP_CHANGES + 5):
        at = AT + timedelta(minutes=number)
        control = changed(control, Setting(mode=MODES[number % 4], reason=f"turn {number}", by="me", at=at), CLUSTER)
    assert control is not None
    assert control.reason == "turn 24"
    assert [item.reason for item in control.history] == [f"turn {number}" for number in range(23, 3, -1)]
    assert parse(msgspec.json.encode(control), CLUSTER) == control


def test_keys_never_hold_raw_cluster_names() -> None:
    """A cluster's name goes into no key as it is."""
    assert key_of("") == "control/global"
    assert key_of(CLUSTER).startswith("control/cluster/")
    assert len({key_of(CLUSTER), key_of(OTHER), key_of("")}) == 3
    assert "prod" not in key_of(CLUSTER)


def test_a_document_is_not_anothers() -> None:
    """A document under the wrong key is not believed."""
    assert parse(stored(Mode.ENFORCE, CLUSTER), OTHER) is None
    assert parse(stored(Mode.ENFORCE, CLUSTER), "") is None
    assert isinstance(parse(stored(Mode.ENFORCE, CLUSTER)), Control)


PROJECT = "projects/example-project"


@pytest.mark.parametrize("everywhere", MODES)
@pytest.mark.parametrize("project", [None, *MODES])
@pytest.mark.parametrize("own", [None, *MODES])
def test_the_lowest_of_three_counts(everywhere: Mode, project: Mode | None, own: Mode | None) -> None:
    """A project's document holds in its clusters too, and none goes above another."""
    documents = [(own and stored(own, CLUSTER), CLUSTER), (project and stored(project, PROJECT), PROJECT)]
    expected = min([everywhere, project or Mode.ENFORCE, own or Mode.ENFORCE], key=MODES.index)
    assert ceiling(stored(everywhere), *documents).mode == expected
