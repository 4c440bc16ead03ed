"""`guardrails.yaml`: what is refused in it and how that is told, and that the shipped one explains every field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.actions import actions
from scc_responder.domain.changes import Disruption
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.mode import Mode
from scc_responder.domain.resource_names import is_namespace
from scc_responder.domain.wildcards import matches
from scc_responder.policy.guardrails import GUARDRAILS_FILE, Guardrails
from scc_responder.policy.limits import Limit
from scc_responder.workbench.policy_files.guardrails_file import NONE_GIVEN, load_guardrails, mistakes
from tests.kits.responder import SHIPPED

SHIPPED_TEXT = (SHIPPED / GUARDRAILS_FILE).read_text()
CEILING = "ceilings: [{name: prod, max_mode: approve, clusters: [projects/*/locations/*/clusters/prod-*]}]"
QUIET = 'quiet_hours: [{name: night, from: "22:00", to: "06:00", max_mode: dry_run, timezone: Europe/Berlin}]'
EXEMPTION = (
    "exemptions: [{name: load-test, when: {namespace: shop}, actions: [delete_pod], expires: 2026-06-30, "
    "owner: o@example.com, reason: A load test., ticket: T-1}]"
)


def loaded(folder: Path, text: str) -> Guardrails:
    """The guardrails that a file of this text holds."""
    (folder / GUARDRAILS_FILE).write_text(text)
    return load_guardrails(folder)


@pytest.mark.parametrize("section", [CEILING, QUIET, EXEMPTION], ids=["ceiling", "quiet-hours", "exemption"])
def test_the_base_of_all_mistakes_is_accepted(tmp_path: Path, section: str) -> None:
    """What the mistakes below are made in is itself accepted."""
    assert loaded(tmp_path, f"protected: {{}}\n{section}\n") != Guardrails(protected=NONE_GIVEN.protected)


MISTAKES = [
    pytest.param(
        "", "protected: {namespaces: [Kube-System]}", "protected.namespaces[0]: 'Kube-System' can never match"
    ),
    pytest.param(
        "", "protected: {namespaces: [shop, shop/web]}", "protected.namespaces[1]: 'shop/web' can never match"
    ),
    pytest.param("", "protected: {namespaces: ['']}", "protected.namespaces[0]: '' can never match"),
    pytest.param(
        "", "protected: {workloads: [web]}", "protected.workloads[0]: 'web' can never match; write namespace/"
    ),
    pytest.param("", "protected: {workloads: [shop/deployment/web]}", "write namespace/Kind/name, such as shop/Depl"),
    pytest.param("", "protected: {nodes: [Node_1]}", "protected.nodes[0]: 'Node_1' can never match"),
    pytest.param("", "protected: {clusters: [prod-*]}", "protected.clusters[0]: 'prod-*' can never match; write proj"),
    pytest.param("", "protected: {clusters: [projects/p/zones/z/clusters/c]}", "write projects/P/locations/L/clusters"),
    pytest.param(
        "", "protected: {services: [checkout]}", "protected.services[0]: 'checkout' can never match; write pr"
    ),
    pytest.param(
        "",
        "protected: {services: ['*', projects/100000000001/locations/*/services/*]}",
        "protected.services[1]: 'projects/100000000001/locations/*/services/*' can never match; write projects/P/",
    ),
    pytest.param(
        "", "protected: {services: [projects/p/locations/*/services/Checkout]}", "Checkout' can never match; write pro"
    ),
    pytest.param("", "protected: {locations: [EU]}", "protected.locations[0]: 'EU' can never match; a location is lo"),
    pytest.param("max_mode: approve, ", "max_mode: approve, actions: [delte_pod], ", "ceilings[0].actions[0]: unknown"),
    pytest.param(
        "max_mode: approve, ", "max_mode: approve, actions: [notify], ", "the target and has no mode of its own"
    ),
    pytest.param(
        "", "protected: {}\nlimits: {service: [{most: 1, within: 1h}]}", "limits.service[0].of: pods are in no"
    ),
    pytest.param("", "protected: {principals: ['a b']}", "protected.principals[0]: 'a b' can never match"),
    pytest.param("", "protected: {namespace: [shop]}", "namespace"),
    pytest.param("", "max_mode: enforce", "protected"),
    pytest.param("", "protected: {}\nmax_mode: off", "YAML reads on, off, yes and no"),
    pytest.param("", "protected: {}\nmax_mode: observe", "expected one of disabled, dry_run, approve, enforce"),
    pytest.param("name: prod", "name: max_mode", "ceilings[0].name: 'max_mode' must be lower-case letters, digits"),
    pytest.param("max_mode: approve, ", "", "max_mode"),
    pytest.param("projects/*/locations/*/clusters/prod-*", "prod-*", "ceilings[0].clusters[0]: 'prod-*' can never"),
    pytest.param(
        CEILING, f"{CEILING}\n{QUIET.replace('night', 'prod')}", "quiet_hours[0].name: 'prod' is the name of c"
    ),
    pytest.param('"22:00"', "22:00", 'quiet_hours[0].from: 1320 is a number to YAML; write "22:00", in quotes'),
    pytest.param('"22:00"', "9", 'quiet_hours[0].from: 9 is a number to YAML; write a time such as "22:00", in quotes'),
    pytest.param('"22:00"', '"24:00"', "quiet_hours[0].from: '24:00' is no time of day"),
    pytest.param('"06:00"', '"6:00"', "quiet_hours[0].to: '6:00' is no time of day; write hours and minutes"),
    pytest.param('"06:00"', '"22:00"', 'quiet_hours[0].to: the same as from; for whole days write from: "00:00"'),
    pytest.param("Europe/Berlin", "Europe/Berlni", "quiet_hours[0].timezone: unknown timezone 'Europe/Berlni'; write"),
    pytest.param("Europe/Berlin", "Europe/Berlni", "did you mean 'Europe/Berlin'?"),
    pytest.param("Europe/Berlin", "../../etc/passwd", "unknown timezone '../../etc/passwd'"),
    pytest.param("Europe/Berlin", "localtime", "unknown timezone 'localtime'"),
    pytest.param("Europe/Berlin", "''", "unknown timezone ''"),
    pytest.param("max_mode: dry_run", "max_mode: dry_run, days: [monday]", "days"),
    pytest.param("{namespace: shop}", "{}", "exemptions[0].when: at least one condition is needed; to hold everything"),
    pytest.param("{namespace: shop}", "{namespace: []}", "exemptions[0].when.namespace: empty"),
    pytest.param("{namespace: shop}", "{labels: {app: []}}", "exemptions[0].when.labels: empty"),
    pytest.param("delete_pod", "delte_pod", "exemptions[0].actions[0]: unknown action 'delte_pod'; expected one of "),
    pytest.param("delete_pod", "delte_pod", "did you mean 'delete_pod'?"),
    pytest.param("delete_pod", "notify", "exemptions[0].actions[0]: 'notify' changes nothing on the target and is nev"),
    pytest.param("expires: 2026-06-30, ", "", "expires"),
    pytest.param("2026-06-30", "tomorrow", "exemptions[0].expires: 'tomorrow' is no end; write its last day"),
    pytest.param("2026-06-30", "2026-06-31T12:00Z", "exemptions[0].expires: '2026-06-31T12:00Z' is no end"),
    pytest.param("o@example.com", "' '", "exemptions[0].owner: empty; say who decided it"),
    pytest.param("A load test.", "''", "exemptions[0].reason: empty"),
    pytest.param("ticket: T-1", "ticket: ''", "exemptions[0].ticket: empty"),
    pytest.param("", "protected: {}\napproval: {needed: 0}", "approval.needed: 0: at least one person must approve"),
    pytest.param("", "protected: {}\napproval: {needed: 2, approvers: [a@b.c]}", "approval.needed: 2 are needed, but"),
    pytest.param("", "protected: {}\napproval: {needed: 2, approvers: [a@b.c, a@b.c]}", "but approvers lists 1"),
    pytest.param(
        "", "protected: {}\napproval: {approvers: ['']}", "approval.approvers[0]: '': write an e-mail address"
    ),
    pytest.param("", "protected: {}\napproval: {expires: 0m}", "approval.expires: '0m' is no time at all"),
    pytest.param(
        "", "protected: {}\nlimits: {owner: [{most: 0, within: 1m}]}", "limits.owner[0].most: 0 would allow no"
    ),
    pytest.param(
        "", "protected: {}\nlimits: {cluster: [{most: 101%, within: 1m}]}", "limits.cluster[0].most: '101%' is"
    ),
    pytest.param(
        "", "protected: {}\nlimits: {node: [{most: 1, within: soon}]}", "limits.node[0].within: 'soon' is no d"
    ),
    pytest.param("", "protected: {}\nlimits: {node: [{most: true, within: 1m}]}", "limits.node[0].most"),
    pytest.param("", "protected: {}\nstorm_breaker: {targets: 0}", "storm_breaker.targets: 0 would never let anything"),
    pytest.param(
        "", "protected: {}\nstorm_breaker: {denials: -1}", "storm_breaker.denials: -1 would never let anything"
    ),
    pytest.param("", "protected: {}\nstorm_breaker: {within: 10}", "storm_breaker.within"),
    pytest.param("", "protected: {}\nallowed_keys: {labels: [team/*]}", "allowed_keys.labels[0]: 'team/*': write a wh"),
    pytest.param(
        "", "protected: {}\nmax_finding_age: {reversible: 1w}", "max_finding_age.reversible: '1w' is no durati"
    ),
    pytest.param(
        "", "protected: {}\nmax_finding_age: {irreversible: 0s}", "max_finding_age.irreversible: '0s' is no tim"
    ),
]


@pytest.mark.parametrize(("right", "wrong", "told"), MISTAKES)
def test_a_mistake_names_file_place_and_remedy(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    """A mistake is told by file, place and remedy, and nothing of the file is used."""
    sections = [section for section in (CEILING, QUIET, EXEMPTION) if right and right in section]
    text = f"protected: {{}}\n{sections[0].replace(right, wrong, 1)}\n" if sections else wrong
    with pytest.raises(PolicyError) as caught:
        loaded(tmp_path, text)
    assert str(caught.value).startswith(f"{GUARDRAILS_FILE}:")
    assert told in str(caught.value)


NAMES = st.text("abcXYZ019-./*?_ ", max_size=12)
TARGETS = {
    "namespaces": st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True),
    "nodes": st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,6}[a-z0-9])?", fullmatch=True),
    "workloads": st.from_regex(r"[a-z]{1,3}/[A-Z][a-z]{1,4}/[a-z0-9-]{1,5}", fullmatch=True),
    "clusters": st.from_regex(r"projects/[a-z]{1,3}/locations/[a-z]{1,3}/clusters/[a-z]{1,3}", fullmatch=True),
}


@pytest.mark.parametrize("field", TARGETS)
@given(data=st.data())
def test_no_working_pattern_is_refused(field: str, data: st.DataObject) -> None:
    """A pattern that is refused would not have matched anything that such a target can be called."""
    name = data.draw(TARGETS[field])
    wild = data.draw(st.dictionaries(st.integers(0, len(name) - 1), st.sampled_from("*?"), max_size=6))
    made = "".join(old if old == "/" else wild.get(index, old) for index, old in enumerate(name))
    parts = made.split("/")
    first = data.draw(st.integers(0, len(parts) - 1))
    deep = "/".join([*parts[:first], "**", *parts[data.draw(st.integers(first + 1, len(parts))) :]])
    pattern = data.draw(st.sampled_from([made, deep]) | NAMES)
    refused = list(mistakes(Guardrails(protected=msgspec.convert({field: [pattern]}, type(NONE_GIVEN.protected)))))
    assert not (refused and matches(pattern, name))


@pytest.mark.parametrize(
    ("field", "pattern"),
    [
        ("clusters", "**"),
        ("clusters", "projects/example-project/**"),
        ("clusters", "projects/**/prod-*"),
        ("workloads", "**"),
        ("workloads", "shop/**"),
        ("services", "projects/example-project/**"),
    ],
)
def test_a_pattern_of_any_depth_is_taken(field: str, pattern: str) -> None:
    """Whoever protects all of a project writes it in one word."""
    assert not list(mistakes(Guardrails(protected=msgspec.convert({field: [pattern]}, type(NONE_GIVEN.protected)))))


def test_the_shipped_file_is_cautious() -> None:
    """The shipped file lets nothing be approved by anybody, protects the system's namespaces, and limits by default.

    On Cloud Run nothing is changed before a person has approved it.
    """
    rails = load_guardrails(SHIPPED)
    defaults = Guardrails(protected=rails.protected)
    assert {"kube-system", "gke-managed-system", "gmp-system"} <= set(rails.protected.namespaces)
    assert [name for name in rails.protected.namespaces if not is_namespace(name)] == []
    assert (rails.approval.approvers, rails.quiet_hours, rails.exemptions) == ((), (), ())
    (ceiling,) = rails.ceilings
    assert (ceiling.name, ceiling.max_mode, ceiling.clusters) == ("cloud-run", Mode.APPROVE, ())
    assert {actions()[name].disrupts for name in ceiling.actions} == {Disruption.SERVICES}
    limited = ("limits", "storm_breaker", "isolation", "environments", "cluster_share", "keep_serving")
    for field in (*limited, "max_finding_age"):
        assert getattr(rails, field) == getattr(defaults, field)


def fields(kind: Any) -> Iterator[str]:
    """The names that a person may write in a value of this type, those of the values in it included."""
    for inner in get_args(kind):
        yield from fields(inner)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__name__ != "Match":
        for field in msgspec.structs.fields(kind):
            yield field.encode_name
            yield from fields(field.type)


def test_every_field_is_shown() -> None:
    """Whatever may be written stands in the shipped file, if only as an example in a comment."""
    shown = set(re.findall(r"(\w+):", SHIPPED_TEXT))
    assert {"quiet_hours", "from", "needed", "most", "of"} <= set(fields(Guardrails))
    assert set(fields(Guardrails)) - shown == set()


def test_every_mode_is_shown() -> None:
    """All modes are named where the furthest is set."""
    assert [mode for mode in Mode if mode not in SHIPPED_TEXT] == []


def uncommented(text: str) -> str:
    """The file with every example in it instead of the empty list above it."""
    text = re.sub(r"(?m)^( *)(\w+): \[\]\n(?=(\1# \2:))", "", text)
    return re.sub(r"(?m)^( *)# (?=\w+:( \[.*)?$|  )", r"\1", text)


def test_every_commented_example_is_valid(tmp_path: Path) -> None:
    """Every example in the shipped file's comments is valid, and is one of what it is the example for."""
    rails = loaded(tmp_path, uncommented(SHIPPED_TEXT))
    assert len(yaml.safe_load(SHIPPED_TEXT)) == len(Guardrails.__struct_fields__)
    assert all(getattr(rails.protected, field) for field in rails.protected.__struct_fields__)
    assert [len(part) for part in (rails.ceilings, rails.quiet_hours, rails.exemptions)] == [4, 2, 1]
    assert len(rails.approval.approvers) == 2
    assert (len(rails.environments), len(rails.keep_serving), len(rails.accepted)) == (1, 1, 1)


def test_limits_that_are_shares() -> None:
    """A share of the replicas is a whole percentage from 1 to 100."""
    for share, right in (("1%", True), ("100%", True), ("0%", False), ("1.5%", False), ("%", False), ("25", False)):
        limits = msgspec.structs.replace(NONE_GIVEN.limits, owner=(Limit(most=share, within="1m"),))
        assert bool(list(mistakes(msgspec.structs.replace(NONE_GIVEN, limits=limits)))) != right
