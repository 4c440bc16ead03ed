"""People write policies: each mistake is told with file, field and remedy, and one mistake refuses them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.actions import actions
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.mode import Mode
from scc_responder.policy.policy_set import ClusterMode, source_paths
from scc_responder.workbench.policy_files.guardrails_file import NONE_GIVEN, load_guardrails
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.strict_yaml import MAX_FILE_BYTES, load_yaml
from tests.kits.responder import policy, write_policies

RIGHT = policy("label_pod", "notify")


def refused(folder: Path, text: str, name: str = "contain.yaml") -> PolicyError:
    """How a folder with this policy beside a right one is refused."""
    write_policies(folder, policy("notify", name="other"))
    (folder / name).write_text(text)
    with pytest.raises(PolicyError) as caught:
        load_policies(folder)
    return caught.value


ACTIONS = ", ".join(sorted(actions()))
FIELDS = (
    "name, description, owner, mode, when, unless, condition, then, limits, quiet_hours, office_hours, out_of_hours, "
    "accepted, modes, otherwise"
)
CONDITIONS = (
    "threat, category, detector, severity, kind, confidence, surface, cluster, project, location, service, namespace, "
    "workload, labels, image, node_pool, principal"
)
BOOLEANS = "YAML reads on, off, yes and no as true or false"
MODES = "disabled, dry_run, approve, enforce"

MISTAKES = [
    pytest.param(
        ("mode:", "mod:"),
        "invalid_policy",
        f":4: mod: unknown field; expected one of {FIELDS}; did you mean 'mode'?",
        id="unknown-key",
    ),
    pytest.param(
        ("mode: enforce\n", ""), "invalid_policy", f":1: mode: missing; add it, one of {MODES}", id="missing-mode"
    ),
    pytest.param(
        ("owner: secops@example.com\n", ""), "invalid_policy", ":1: owner: missing; add it, a text", id="owner"
    ),
    pytest.param(("owner: secops@example.com", "owner: ' '"), "invalid_policy", ":3: owner: empty; say", id="no-owner"),
    pytest.param(
        ("threat:", "thread:"),
        "invalid_policy",
        f":6: when.thread: unknown field; expected one of {CONDITIONS}; did you mean 'threat'?",
        id="in-when",
    ),
    pytest.param(
        ("label_pod", "labl_pod"),
        "unknown_action",
        f":8: then[0].action: unknown action 'labl_pod'; expected one of {ACTIONS}; did you mean 'label_pod'?",
        id="unknown-action",
    ),
    pytest.param(
        ("label_pod", "x"), "unknown_action", f"unknown action 'x'; expected one of {ACTIONS}", id="far-off-action"
    ),
    pytest.param(
        ("label_pod", "label_pod\n    with: {lables: {}}"),
        "invalid_policy",
        ":9: then[0].with.lables: unknown field; expected one of labels; did you mean 'labels'?",
        id="unknown-parameter",
    ),
    pytest.param(
        ("label_pod", "delete_pod\n    with: {identity: provd}"),
        "invalid_policy",
        ":9: then[0].with.identity: unknown value 'provd'; expected one of likely, proved; did you mean 'proved'?",
        id="bad-parameter",
    ),
    pytest.param(
        ("label_pod", "delete_pod\n    with: {grace_period_seconds: -1}"),
        "invalid_policy",
        ":9: then[0].with.grace_period_seconds: -1 is too small; expected at least 1; with 0 the pod goes while its "
        "processes run on; write 1 for the shortest",
        id="negative",
    ),
    pytest.param(
        ("label_pod", "delete_pod\n    with: {grace_period_seconds: 30s}"),
        "invalid_policy",
        ":9: then[0].with.grace_period_seconds: expected a whole number, got the text '30s'",
        id="no-number",
    ),
    pytest.param(
        ("label_pod", "capture_evidence\n    with: {to: me}"),
        "invalid_policy",
        ":9: then[0].with.to: unknown field; none is expected here",
        id="parameter-of-none",
    ),
    pytest.param(
        ("label_pod", "label_pod\n    with: {labels: {scc-responder/x: yes}}"),
        "invalid_policy",
        f":9: then[0].with.labels['scc-responder/x']: expected a text, got true; {BOOLEANS}; put a text in quotes",
        id="label-yes",
    ),
    pytest.param(
        ("label_pod", "label_pod\n    with: {labels: {scc-responder/x: 1.4}}"),
        "invalid_policy",
        "expected a text, got the number 1.4; put it in quotes",
        id="label-number",
    ),
    pytest.param(
        ("mode: enforce", "mode: enforce\nmode: dry_run"),
        "duplicate_key",
        ":5: 'mode' stands here twice; remove one",
        id="duplicate",
    ),
    pytest.param(
        ("mode: enforce", "mode: off"),
        "invalid_policy",
        f":4: mode: got false, expected one of {MODES}; {BOOLEANS}",
        id="mode-off",
    ),
    pytest.param(
        ("mode: enforce", "mode: enforced"),
        "invalid_policy",
        f":4: mode: unknown value 'enforced'; expected one of {MODES}; did you mean 'enforce'?",
        id="mode-unknown",
    ),
    pytest.param(
        ("threat: reverse_shell", "severity: high"),
        "invalid_policy",
        "when.severity: unknown value 'high'; expected one of LOW, MEDIUM, HIGH, CRITICAL; did you mean 'HIGH'?",
        id="severity-case",
    ),
    pytest.param(
        ("threat: reverse_shell", "threat: revers_shell"),
        "invalid_policy",
        ":6: when.threat: unknown threat 'revers_shell'; scc-responder threats lists them; "
        "did you mean 'reverse_shell'?",
        id="unknown-threat",
    ),
    pytest.param(
        ("threat: reverse_shell", "threat: [reverse_shell, x*y]"),
        "invalid_policy",
        ":6: when.threat[1]: unknown threat 'x*y'",
        id="threat-pattern",
    ),
    pytest.param(
        ("threat: reverse_shell", "surface: pods"),
        "invalid_policy",
        "unknown surface 'pods'; expected one of pod, node, cluster, rbac, cloud_run, agent, unknown; did you mean "
        "'pod'?",
        id="surface",
    ),
    pytest.param(
        ("then:", "unless: {confidence: high}\nthen:"),
        "invalid_policy",
        ":7: unless.confidence: unknown confidence 'high'; expected one of possible, likely, confirmed",
        id="confidence",
    ),
    pytest.param(
        ("threat: reverse_shell", "kind: behavioural"), "invalid_policy", "did you mean 'behavioral'?", id="kind"
    ),
    pytest.param(
        ("threat: reverse_shell", "detector: container_threat"),
        "invalid_policy",
        "did you mean 'container_threat_detection'?",
        id="detector",
    ),
    pytest.param(
        ("threat: reverse_shell", "namespace:\n  threat: reverse_shell"),
        "invalid_policy",
        ":6: when.namespace: expected a text or a list of texts, got nothing; write it, or remove the key",
        id="key-without-value",
    ),
    pytest.param(
        ("description: For a test.", "description: &a For"),
        "yaml_anchor",
        ":2: anchors and aliases are not allowed; write the value out; put a text that begins with * or & in quotes",
        id="anchor",
    ),
    pytest.param(
        ("description: For a test.", "description: *@example.com"),
        "invalid_yaml",
        "expected alphabetic or numeric character; put a text that begins with * or & in quotes",
        id="star-of-a-pattern",
    ),
    pytest.param(("description: For a test.", "description: *a"), "yaml_anchor", ":2: anchors", id="dangling-alias"),
    pytest.param(("description:", "&a description:"), "yaml_anchor", ":2: anchors", id="anchor-of-a-key"),
    pytest.param(("description: For a test.", "description: !!str x"), "yaml_tag", ":2: the tag", id="tag"),
    pytest.param(
        ("description: For a test.", "description: !!python/object:os.system x"), "yaml_tag", ":2: ", id="python-tag"
    ),
    pytest.param(
        ("description: For a test.", "description: 2026-13-45"),
        "invalid_yaml",
        ":2: '2026-13-45' is no timestamp; if it is a text, put it in quotes",
        id="no-date",
    ),
    pytest.param(("description: For a test.", "? [a]\n: b"), "yaml_key", ":2: a key must be a word", id="complex-key"),
    pytest.param(
        ("description: For a test.", "description: ["),
        "invalid_yaml",
        ":4: no YAML: column 5: did not find expected ',' or ']'; close the list with ]",
        id="broken",
    ),
    pytest.param(
        ("description: For a test.", "description: a: b"),
        "invalid_yaml",
        ":2: no YAML: column 15: mapping values are not allowed in this context; put a text with ': ' in it in quotes",
        id="colon",
    ),
    pytest.param(
        ("  threat", "\tthreat"),
        "invalid_yaml",
        ":6: no YAML: found character that cannot start any token; indent with spaces",
        id="tab",
    ),
    pytest.param(
        ("name: contain", "name: other"),
        "invalid_policy",
        ":1: name: 'other' must be the file's own name, 'contain'",
        id="name-is-not-the-files",
    ),
    pytest.param(
        ("threat: reverse_shell", "threat: []"),
        "invalid_policy",
        ":6: when.threat: empty; give a pattern or remove it",
        id="empty-list",
    ),
    pytest.param(("threat: reverse_shell", "threat: ''"), "invalid_policy", "when.threat: empty", id="empty-word"),
    pytest.param(("threat: reverse_shell", "labels: {}"), "invalid_policy", "when.labels: empty", id="empty-labels"),
    pytest.param(("threat: reverse_shell", "labels: {a: []}"), "invalid_policy", "when.labels: empty", id="no-values"),
    pytest.param(("  threat: reverse_shell", "  {}"), "invalid_policy", ":5: when: at least one", id="no-condition"),
    pytest.param(
        ("  threat: reverse_shell\n", ""), "invalid_policy", ":5: when: expected a mapping, got nothing", id="when"
    ),
    pytest.param(
        ("then:", "unless: {namespace: []}\nthen:"), "invalid_policy", ":7: unless.namespace: empty", id="empty-unless"
    ),
    pytest.param(
        ("then:\n  - action: label_pod\n  - action: notify", "then:\n  action: label_pod"),
        "invalid_policy",
        ":7: then: expected a list of mappings, got a mapping; begin each item with '- '",
        id="no-list",
    ),
    pytest.param(
        ("  - action: label_pod\n  - action: notify", "  - label_pod"),
        "invalid_policy",
        ":8: then[0]: expected a mapping, got the text 'label_pod'; write 'action: ...'",
        id="bare-action",
    ),
    pytest.param(
        ("action: notify", "action: label_pod"),
        "invalid_policy",
        ":9: then[1]: label_pod with the same parameters is then[0] already; remove one",
        id="twice",
    ),
    pytest.param(
        ("action: notify", "action: notify\n    needs: [label_pods]"),
        "invalid_policy",
        ":10: then[1].needs[0]: 'label_pods' must be an action of an earlier step; expected one of label_pod; "
        "did you mean 'label_pod'?",
        id="needs",
    ),
    pytest.param(
        ("action: label_pod", "action: label_pod\n    needs: [notify]"),
        "invalid_policy",
        ":9: then[0].needs[0]: 'notify' must be an action of an earlier step, and this step is the first",
        id="needs-a-later-step",
    ),
    pytest.param(
        ("then:", "limits: [{most: 101%, within: 10m}]\nthen:"),
        "invalid_policy",
        ":7: limits[0].most: '101%' is no share; write a number, or 1% to 100%",
        id="share",
    ),
    pytest.param(
        ("then:", "limits: [{most: 0, within: 10m}]\nthen:"), "invalid_policy", "0 would allow nothing", id="none"
    ),
    pytest.param(
        ("then:", "limits: [{most: 1, within: 10}]\nthen:"),
        "invalid_policy",
        ":7: limits[0].within: expected a text, got the number 10; put it in quotes",
        id="no-unit",
    ),
    pytest.param(
        ("then:", "limits: [{most: 1, within: 0m}]\nthen:"), "invalid_policy", "'0m' is no time at all", id="no-time"
    ),
    pytest.param(
        ("then:", "condition: pod.namespce == 'x'\nthen:"),
        "invalid_policy",
        ":7: condition: column 4: unknown field 'namespce' of Pod; expected one of namespace, name, uid,",
        id="condition",
    ),
]


@pytest.mark.parametrize(("change", "reason", "told"), MISTAKES)
def test_a_mistake_names_line_and_place(tmp_path: Path, change: tuple[str, str], reason: str, told: str) -> None:
    """A mistake is named with its file, line and place, what was expected there, and nothing is loaded."""
    error = refused(tmp_path / "p", RIGHT.replace(*change))
    assert error.reason == reason
    assert str(error).startswith("contain.yaml:")
    assert told in str(error)
    assert len(str(error).splitlines()) == 1 or "condition" in told


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    """Every mistake of every file is told in one go, each on a line of its own: one round of fixing is enough."""
    wrong = RIGHT.replace("mode: enforce", "mode: on").replace("threat:", "thread:").replace("notify", "notfy")
    folder = write_policies(tmp_path / "p", wrong, guardrails="protected: {namespace: []}\nmax_mode: full\n")
    (folder / "other.yaml").write_text("name: other\nname: other\nmode: &a enforce\n")
    (folder / "third.yml").write_text("")
    with pytest.raises(PolicyError) as caught:
        load_policies(folder)
    places = [(fault.file, fault.line, fault.path) for fault in caught.value.faults]
    assert places == [
        ("third.yml", 0, ""),
        ("guardrails.yaml", 1, "protected.namespace"),
        ("guardrails.yaml", 2, "max_mode"),
        ("contain.yaml", 4, "mode"),
        ("contain.yaml", 6, "when.thread"),
        ("contain.yaml", 9, "then[1].action"),
        ("other.yaml", 2, ""),
        ("other.yaml", 3, ""),
    ]
    assert str(caught.value).splitlines() == [str(fault) for fault in caught.value.faults]


def test_a_caret_below_the_place(tmp_path: Path) -> None:
    """A mistake in a condition of several lines is told with the line of the file, and a caret below its place."""
    text = RIGHT.replace("then:", "condition: |\n  pod.namespace == 'x' &&\n  pod.nam == 'y'\nthen:")
    error = refused(tmp_path / "p", text)
    first, *detail = str(error).splitlines()
    assert first.startswith("contain.yaml:9: condition: column 4: unknown field 'nam' of Pod")
    assert detail == ["    pod.nam == 'y'", "       ^"]


def test_unreadable_guardrails_bring_no_further_mistakes(tmp_path: Path) -> None:
    """Where the guardrails cannot be read, what they allow is not told as missing."""
    text = policy("label_pod {labels: {team: x}}")
    folder = write_policies(tmp_path / "p", text, guardrails="protected: {}\nallowed_key: {labels: [team]}\n")
    with pytest.raises(PolicyError) as caught:
        load_policies(folder)
    assert [fault.file for fault in caught.value.faults] == ["guardrails.yaml"]


KEYS = [
    pytest.param("label_pod {labels: {scc-responder/case: x}}", "written by the responder itself", id="case"),
    pytest.param("label_pod {labels: {scc-responder/pod-uid: x}}", "written by the responder itself", id="pod-uid"),
    pytest.param("label_pod {labels: {app: x}}", "list it in guardrails.yaml", id="foreign-label"),
    pytest.param("label_pod {labels: {scc-responder/x: two words}}", "is no label value", id="label-value"),
    pytest.param(f"label_pod {{labels: {{scc-responder/x: {'a' * 64}}}}}", "is no label value", id="long-value"),
    pytest.param("label_pod {labels: {scc-responder/-x: a}}", "is no key", id="label-key"),
    pytest.param("annotate_pod {annotations: {scc-responder/armed-by: x}}", "written by the responder", id="armed-by"),
    pytest.param(
        "annotate_pod {annotations: {scc-responder/action-id: x}}", "written by the responder", id="action-id"
    ),
    pytest.param("annotate_pod {annotations: {scc-responder/finding: x}}", "written by the responder", id="finding"),
    pytest.param("annotate_pod {annotations: {scc-responder/threat: x}}", "written by the responder", id="threat"),
    pytest.param("annotate_pod {annotations: {note: x}}", "list it in guardrails.yaml", id="foreign-annotation"),
]


@pytest.mark.parametrize(("step", "told"), KEYS)
def test_reserved_label_keys_are_refused(tmp_path: Path, step: str, told: str) -> None:
    """A policy writes keys under our prefix, never those that the responder itself goes by."""
    error = refused(tmp_path / "p", policy(step))
    assert (error.reason, told in str(error)) == ("invalid_policy", True)


def test_guardrails_can_allow_further_keys(tmp_path: Path) -> None:
    """Guardrails can list further keys; never those that the responder itself goes by."""
    rails = "protected: {namespaces: []}\nallowed_keys: {labels: [team, scc-responder/case], annotations: [note]}\n"
    steps = "label_pod {labels: {team: x}}", "annotate_pod {annotations: {note: anything at all}}"
    folder = write_policies(tmp_path / "p", policy(*steps), guardrails=rails)
    assert len(load_policies(folder).policies) == 1
    write_policies(folder, policy("label_pod {labels: {scc-responder/case: x}}"), guardrails=rails)
    with pytest.raises(PolicyError):
        load_policies(folder)


SIZES: list[Any] = [
    pytest.param("#" * (MAX_FILE_BYTES + 1), "file_too_large", id="over-256-KiB"),
    pytest.param("[" * 500, "yaml_too_deep", id="deep"),
    pytest.param("a: " + "[" * 30 + "]" * 30, "yaml_too_deep", id="deep-and-closed"),
    pytest.param("- a\n---\n- b\n", "invalid_yaml", id="two-documents"),
    pytest.param("\x00", "invalid_yaml", id="null-byte"),
    pytest.param("", "invalid_policy", id="empty"),
    pytest.param("just text", "invalid_policy", id="no-mapping"),
]


@pytest.mark.parametrize(("text", "reason"), SIZES)
def test_oversized_files_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    """What is too large, too deep or no policy at all is refused, not loaded in part."""
    assert refused(tmp_path / "p", text).reason == reason


def test_another_encoding_names_its_place(tmp_path: Path) -> None:
    """A file in another encoding is refused with the place."""
    folder = write_policies(tmp_path / "p", RIGHT)
    (folder / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(PolicyError) as caught:
        load_policies(folder)
    assert (caught.value.reason, str(caught.value)) == (
        "not_utf8",
        "latin.yaml:1: not UTF-8 at byte 9; save it as UTF-8",
    )


def test_another_file_ending_is_refused(tmp_path: Path) -> None:
    """A policy under a name that is not read is refused, not passed over in silence."""
    assert "rename it to contain.yaml" in str(refused(tmp_path / "p", RIGHT, "contain.yml"))


def test_an_absent_folder_is_refused(tmp_path: Path) -> None:
    """A folder that is not there is no empty set of policies."""
    with pytest.raises(PolicyError) as caught:
        load_policies(tmp_path / "none")
    assert caught.value.reason == "no_policy_folder"


def test_policies_load_in_name_order(tmp_path: Path) -> None:
    """Policies come in the order of their names, with typed parameters; test files and guardrails are none of them."""
    folder = write_policies(
        tmp_path / "p", policy("delete_pod {grace_period_seconds: 5}", name="b"), policy("notify", name="a")
    )
    (folder / "a.test.yaml").write_text("policy: a\ncases: []\n")
    found = load_policies(folder).policies
    assert [item.name for item in found] == ["a", "b"]
    assert getattr(found[1].then[0].params, "grace_period_seconds", None) == 5


def test_the_digest_covers_every_deciding_file(tmp_path: Path) -> None:
    """The digest changes with every file that a decision depends on, and with nothing else."""
    folder = write_policies(tmp_path / "p", RIGHT)
    first = load_policies(folder).digest
    (folder / "contain.test.yaml").write_text("policy: contain\n")
    unchanged = load_policies(folder).digest
    write_policies(folder, RIGHT, guardrails="protected: {namespaces: []}\n")
    rails = load_policies(folder).digest
    write_policies(folder, RIGHT.replace("For a test", "For another test"), guardrails="protected: {namespaces: []}\n")
    assert first == unchanged
    assert len({first, rails, load_policies(folder).digest}) == 3


def test_subfolders_are_read_by_name(tmp_path: Path) -> None:
    """Policies of teams come among the others in the order of their names; hidden folders hold none."""
    folder = write_policies(tmp_path / "p", policy("notify", name="a"), policy("notify", name="c"))
    first = load_policies(folder).digest
    for place in ("team-a", ".git"):
        (folder / place).mkdir()
        (folder / place / "b.yaml").write_text(policy("notify", name="b"))
        (folder / place / "scope.yaml").write_text("max_mode: enforce\n")
    assert [item.name for item in load_policies(folder).policies] == ["a", "b", "c"]
    assert [path.relative_to(folder).as_posix() for path in source_paths(folder)] == [
        "a.yaml",
        "team-a/b.yaml",
        "c.yaml",
        "guardrails.yaml",
    ]
    assert load_policies(folder).digest != first


NO_RAILS = "protected: {namespaces: []}\n"
RAILS = [
    pytest.param("max_mode: observe\n", ":2: max_mode: unknown value 'observe'", id="mode"),
    pytest.param("max_mode: off\n", ":2: max_mode: got false, expected one of", id="mode-off"),
    pytest.param(
        "max_finding_age: {irreversible: soon}\n", ":2: max_finding_age.irreversible: 'soon' is no d", id="age"
    ),
    pytest.param("max_pods: 3\n", ":2: max_pods: unknown field; expected one of protected, max_mode,", id="unknown"),
    pytest.param("limit: {}\n", ":2: limit: unknown field; expected one of", id="did-you-mean"),
    pytest.param(
        "limits: {owners: []}\n", "limits.owners: unknown field; expected one of owner, names", id="in-limits"
    ),
    pytest.param("limits: {owner: [{most: 5 %, within: 1h}]}\n", "limits.owner[0].most: '5 %' is no share", id="share"),
    pytest.param("limits: {owner: [{most: 5, within: 1w}]}\n", "limits.owner[0].within: '1w' is no dur", id="within"),
    pytest.param("storm_breaker: {within: 10}\n", "storm_breaker.within: expected a text", id="storm"),
    pytest.param("approval: {expires: 1 hour}\n", "approval.expires: '1 hour' is no duration", id="approval"),
    pytest.param(
        "exemptions:\n  - {name: a, when: {threat: x}, expires: 2026-12-31, owner: o, reason: r, ticket: t}\n",
        ":3: exemptions[0].when.threat: unknown threat 'x'",
        id="exemption",
    ),
    pytest.param(
        "exemptions:\n  - {name: a, when: {threat: '*'}, expires: soon, owner: o, reason: r, ticket: t}\n",
        ":3: exemptions[0].expires: 'soon' is no end; write its last day, 2026-03-02, or a moment",
        id="expiry",
    ),
]


@pytest.mark.parametrize(("text", "told"), RAILS)
def test_guardrails_with_mistakes_are_refused(tmp_path: Path, text: str, told: str) -> None:
    """Guardrails with a mistake are refused, with its line: they are not guessed."""
    (tmp_path / "guardrails.yaml").write_text(NO_RAILS + text)
    with pytest.raises(PolicyError) as caught:
        load_guardrails(tmp_path)
    assert str(caught.value).startswith("guardrails.yaml:")
    assert told in str(caught.value)


NO_GUARDRAILS = [
    pytest.param("max_mode: enforce\n", "guardrails.yaml:1: protected: missing; add it, a mapping", id="no-protection"),
    pytest.param("# nothing\n", "guardrails.yaml:1: nothing stands in it; write it, or remove", id="only-a-comment"),
]


@pytest.mark.parametrize(("text", "told"), NO_GUARDRAILS)
def test_an_empty_guardrails_file_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """A file that protects nothing is not taken for one that does."""
    (tmp_path / "guardrails.yaml").write_text(text)
    with pytest.raises(PolicyError) as caught:
        load_guardrails(tmp_path)
    assert told in str(caught.value)


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_without_guardrails_nothing_is_enforced(tmp_path: Path, text: str | None) -> None:
    """Without guardrails nothing is enforced and every namespace is protected."""
    if text is not None:
        (tmp_path / "guardrails.yaml").write_text(text)
    assert load_guardrails(tmp_path) == NONE_GIVEN


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("24h", 86400), ("7d", 604800), ("0s", 0)])
def test_durations_are_number_and_unit(text: str, seconds: int) -> None:
    """Durations are a number and a unit."""
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "30", "m", "1.5h", "-1h", "1 h", "1w", "1h30m", "\u0663\u0660m", "1h\n"])
def test_other_durations_are_refused(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="no duration"):
        parse_duration(text)


def test_a_merge_key_is_an_ordinary_key() -> None:
    """A merge key is a key like any other: what it would bring in cannot be overlooked."""
    assert load_yaml("<<: {a: b}\n", "x") == {"<<": {"a": "b"}}


def test_a_share_of_clusters_is_the_same_for_all_and_grows() -> None:
    """About so many clusters are in it, and each that is in a share is in every larger one."""
    names = [f"projects/p/locations/l/clusters/c{number}" for number in range(2000)]
    within = {
        share: {
            name for name in names if ClusterMode(mode=Mode.ENFORCE, clusters=("**",), share=f"{share}%").fits(name)
        }
        for share in (1, 5, 50, 100)
    }
    assert within[1] < within[5] < within[50] < within[100] == set(names)
    assert 60 <= len(within[5]) <= 140
    assert not ClusterMode(mode=Mode.ENFORCE, clusters=("projects/q/**",), share="100%").fits(names[0])


RAISING = [
    pytest.param(
        "dry_run", "{stage: canary}", r"modes\[0\].mode: a label may raise a mode, never lower it", id="lower"
    ),
    pytest.param("enforce", "{}", r"modes\[0\].namespace_labels: empty; write a key", id="no-key"),
    pytest.param("enforce", "{stage: []}", r"namespace_labels.stage: empty, so that it never holds", id="no-value"),
    pytest.param("enforce", "{stage: ''}", r"namespace_labels.stage: empty, so that it never holds", id="empty-value"),
]


@pytest.mark.parametrize(("mode", "labels", "told"), RAISING)
def test_a_label_that_raises_nothing_is_refused(tmp_path: Path, mode: str, labels: str, told: str) -> None:
    """With its place."""
    modes = f"modes: [{{mode: {mode}, clusters: [projects/*/locations/*/clusters/*], namespace_labels: {labels}}}]\n"
    with pytest.raises(PolicyError, match=told):
        load_policies(write_policies(tmp_path, policy("label_pod", mode="approve") + modes))


@pytest.mark.parametrize("share", ["0%", "5", "101%", "five"])
def test_what_is_no_share_is_refused(tmp_path: Path, share: str) -> None:
    """With its place."""
    modes = f"modes: [{{mode: enforce, clusters: [projects/*/locations/*/clusters/*], share: '{share}'}}]\n"
    with pytest.raises(PolicyError, match=r"modes\[0\].share: .* is no share; write 1% to 100%"):
        load_policies(write_policies(tmp_path, policy("label_pod") + modes))
