"""Calico's selector expressions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.kubernetes.network_policies.calico_selectors import selects_expression

LABELS = {"app": "web", "tier": "front"}
EXPRESSIONS = [
    pytest.param("all()", "yes", id="all"),
    pytest.param("global()", "no", id="global"),
    pytest.param("app == 'web'", "yes", id="equals"),
    pytest.param('app=="web"', "yes", id="without-spaces"),
    pytest.param("app != 'web'", "no", id="differs"),
    pytest.param("zone != 'a'", "yes", id="differs-without-the-label"),
    pytest.param("has(app)", "yes", id="has"),
    pytest.param("!has(app)", "no", id="has-not"),
    pytest.param("! has(zone)", "yes", id="has-not-with-a-space"),
    pytest.param("app in {'web', 'db'}", "yes", id="in"),
    pytest.param("app not in {'web', 'db'}", "no", id="not-in"),
    pytest.param("zone not in {}", "yes", id="not-in-nothing"),
    pytest.param("app == 'web' && tier == 'back'", "no", id="and"),
    pytest.param("app == 'db' || tier == 'front'", "yes", id="or"),
    pytest.param("app == 'db' && tier == 'front' || has(app)", "yes", id="and-binds-tighter"),
    pytest.param("hidden == 'x'", "unknown", id="label-that-may-be-there"),
    pytest.param("hidden == 'x' || has(app)", "yes", id="settled-by-another"),
    pytest.param("(app == 'web')", "unknown", id="parentheses"),
    pytest.param("app starts with 'w'", "unknown", id="operator-not-known"),
    pytest.param("app == 'web' & has(app)", "unknown", id="half-an-operator"),
    pytest.param("app == 'web' &&", "unknown", id="half-an-expression"),
    pytest.param("", "unknown", id="nothing"),
]


@pytest.mark.parametrize(("expression", "answer"), EXPRESSIONS)
def test_an_expression_is_read_as_calico_reads_it(expression: str, answer: str) -> None:
    """What is not simple is unknown."""
    assert selects_expression(expression, LABELS, lambda key: key == "hidden") == answer


@given(st.text(alphabet="ap=!'\"{}()&| has,in", max_size=40))
def test_any_text_is_answered(expression: str) -> None:
    """Whoever writes a policy writes any text: it is answered, never failed at."""
    assert selects_expression(expression, LABELS, lambda _key: False) in {"yes", "no", "unknown"}
