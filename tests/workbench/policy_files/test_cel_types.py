"""The types that a condition may speak of follow from the context."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import inspect

from scc_responder.domain.context import Context
from scc_responder.policy import cel
from scc_responder.workbench.policy_files import cel_types


def test_every_fact_is_a_variable() -> None:
    """But for what no condition may ask for; a word that CEL keeps for itself has another name."""
    told = {cel.RENAMED.get(name, name) for name in Context.__struct_fields__} - cel.NOT_TOLD
    assert set(cel_types.variables()) == told
    assert "namespace" not in told
    assert cel_types.checker()


def test_fields_are_those_of_our_records() -> None:
    """Every record within the context is there, each with its fields."""
    fields = cel_types.fields()
    assert {"Pod", "Finding", "Process", "Owner"} <= set(fields)
    assert "image_id" in fields["ContainerStatus"]


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("pod.name == 'x'", "BOOL"),
        ("pod.labels['app']", "STRING"),
        ("finding.event_time", "TIMESTAMP"),
        ("finding.processes[0].pid", "INT"),
        ("pod.host_network", "BOOL"),
        ("'x' in finding.contacts", "BOOL"),
    ],
)
def test_expressions_are_checked_by_type(expression: str, kind: str) -> None:
    """Each field has the type that it has here."""
    assert cel_types.checker().compile(expression).return_type().name() == kind


@pytest.mark.parametrize(
    "expression", ["pod.nam", "has(pod.name)", "pod == pod", "missing", "finding.severity < 'HIGH'"]
)
def test_other_expressions_do_not_compile(expression: str) -> None:
    """What would hold for lack of data, or means nothing, is refused."""
    with pytest.raises(RuntimeError):
        cel_types.checker().compile(expression)


def test_a_map_lacks_what_is_not_known() -> None:
    """An expression is evaluated on maps: an absent field is an error, no default."""
    compiled = cel.evaluator().compile("pod.name == 'x'")
    assert compiled.eval(data={"pod": {"name": "x"}}).value() is True
    assert "ERROR" in str(compiled.eval(data={"pod": {}}).type())


def test_a_type_without_use_is_refused() -> None:
    """Whoever adds such a field is told to leave it out."""
    unusable: Any = inspect.AnyType()
    with pytest.raises(TypeError, match="no condition could use"):
        cel_types._signature(unusable)


@pytest.mark.parametrize(
    ("address", "network", "lies"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("::ffff:10.1.2.3", "10.0.0.0/8", True),
        ("192.0.2.7", "10.0.0.0/8", False),
        ("2001:db8::1", "10.0.0.0/8", False),
        ("2001:db8::1", "2001:db8::/32", True),
    ],
)
def test_an_address_lies_in_its_network(address: str, network: str, lies: bool) -> None:
    """An IPv4 address that is written as one of IPv6 is the address that it means."""
    assert cel.in_cidr(address, network) is lies


@pytest.mark.parametrize(("address", "network"), [("web", "10.0.0.0/8"), ("", "::/0"), ("10.0.0.1", "10.0.0.1/8")])
def test_what_is_no_address_is_no_answer(address: str, network: str) -> None:
    """Neither yes nor no: a condition, and its opposite, is then not known."""
    with pytest.raises(ValueError, match=r"does not appear|host bits"):
        cel.in_cidr(address, network)
