"""People write policies: each mistake is told with file, field and remedy, and one mistake refuses them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.documents import MAX_BYTES, load_yaml
from scc_responder.duration import parse_duration
from scc_responder.errors import PolicyError
from scc_responder.guardrails import NONE_GIVEN
from scc_responder.guardrails_file import load_guardrails
from scc_responder.policy import load_policies
from tests.pipeline.deployment import policy, write_policies

RIGHT = policy("label_pod", "notify")


def refused(folder: Path, text: str, name: str = "contain.yaml") -> PolicyError:
    """How a folder with this policy beside a right one is refused."""
    write_policies(folder, policy("notify", name="other"))
    (folder / name).write_text(text)
    with pytest.raises(PolicyError) as caught:
        load_policies(folder)
    return caught.value


MISTAKES = [
    pytest.param(("mode:", "mod:"), "invalid_policy", "unknown field `mod`", id="unknown-key"),
    pytest.param(
        ("threat:", "thread:"), "invalid_policy", "when: Object contains unknown field `thread`", id="in-when"
    ),
    pytest.param(("label_pod", "labl_pod"), "unknown_action", "did you mean 'label_pod'?", id="unknown-action"),
    pytest.param(("label_pod", "x"), "unknown_action", "expected one of: annotate_pod, capture", id="far-off-action"),
    pytest.param(
        ("label_pod", "label_pod\n    with: {lables: {}}"), "invalid_policy", "`lables`", id="unknown-parameter"
    ),
    pytest.param(
        ("label_pod", "delete_pod\n    with: {identity: guessed}"), "invalid_policy", "then[0].with", id="bad-parameter"
    ),
    pytest.param(
        ("label_pod", "delete_pod\n    with: {grace_period_seconds: -1}"),
        "invalid_policy",
        "then[0].with",
        id="negative",
    ),
    pytest.param(("label_pod", "notify\n    with: {to: me}"), "invalid_policy", "`to`", id="parameter-of-none"),
    pytest.param(("mode: enforce", "mode: enforce\nmode: dry_run"), "duplicate_key", "contain.yaml:5", id="duplicate"),
    pytest.param(
        ("mode: enforce", "mode: off"), "invalid_policy", "disabled, dry_run, approve, enforce", id="mode-off"
    ),
    pytest.param(("mode: enforce", "mode: off"), "invalid_policy", "YAML reads on, off", id="mode-off-hint"),
    pytest.param(("mode: enforce", "mode: observe"), "invalid_policy", "mode: ", id="mode-unknown"),
    pytest.param(
        ("threat: reverse_shell", "severity: high"), "invalid_policy", "LOW, MEDIUM, HIGH, CRITICAL", id="severity-case"
    ),
    pytest.param(("description: For a test.", "description: &a For"), "yaml_anchor", "contain.yaml:2", id="anchor"),
    pytest.param(("description: For a test.", "description: *a"), "yaml_anchor", "contain.yaml", id="dangling-alias"),
    pytest.param(("description: For a test.", "description: !!str x"), "yaml_tag", "contain.yaml:2", id="tag"),
    pytest.param(
        ("description: For a test.", "description: !!python/object:os.system x"), "yaml_tag", ":2", id="python-tag"
    ),
    pytest.param(("description: For a test.", "description: 2026-13-45"), "invalid_yaml", "contain.yaml", id="no-date"),
    pytest.param(("description: For a test.", "? [a]\n: b"), "yaml_key", "a key must be a word", id="complex-key"),
    pytest.param(("description: For a test.", "description: ["), "invalid_yaml", "contain.yaml", id="broken"),
    pytest.param(("name: contain", "name: other"), "invalid_policy", "'contain'", id="name-is-not-the-files"),
    pytest.param(("threat: reverse_shell", "threat: []"), "invalid_policy", "when.threat: empty", id="empty-list"),
    pytest.param(("threat: reverse_shell", "threat: ''"), "invalid_policy", "when.threat: empty", id="empty-word"),
    pytest.param(("threat: reverse_shell", "labels: {}"), "invalid_policy", "when.labels: empty", id="empty-labels"),
    pytest.param(("threat: reverse_shell", "labels: {a: []}"), "invalid_policy", "when.labels: empty", id="no-values"),
    pytest.param(("  threat: reverse_shell", "  {}"), "invalid_policy", "at least one condition", id="no-condition"),
    pytest.param(
        ("then:", "unless: {namespace: []}\nthen:"), "invalid_policy", "unless.namespace: empty", id="empty-unless"
    ),
]


@pytest.mark.parametrize(("change", "reason", "told"), MISTAKES)
def test_mistakes(tmp_path: Path, change: tuple[str, str], reason: str, told: str) -> None:
    """A mistake is named with its file and place, and nothing is loaded."""
    error = refused(tmp_path / "p", RIGHT.replace(*change))
    assert error.reason == reason
    assert "contain.yaml" in str(error)
    assert told in str(error)


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
def test_keys(tmp_path: Path, step: str, told: str) -> None:
    """A policy writes keys under our prefix, never those that the responder itself goes by."""
    error = refused(tmp_path / "p", policy(step))
    assert (error.reason, told in str(error)) == ("invalid_policy", True)


def test_allowed_keys(tmp_path: Path) -> None:
    """Guardrails can list further keys; never those that the responder itself goes by."""
    rails = "protected: {namespaces: []}\nallowed_keys: {labels: [team, scc-responder/case], annotations: [note]}\n"
    steps = "label_pod {labels: {team: x}}", "annotate_pod {annotations: {note: anything at all}}"
    folder = write_policies(tmp_path / "p", policy(*steps), guardrails=rails)
    assert len(load_policies(folder).policies) == 1
    write_policies(folder, policy("label_pod {labels: {scc-responder/case: x}}"), guardrails=rails)
    with pytest.raises(PolicyError):
        load_policies(folder)


SIZES: list[Any] = [
    pytest.param("#" * (MAX_BYTES + 1), "file_too_large", id="over-256-KiB"),
    pytest.param("[" * 500, "yaml_too_deep", id="deep"),
    pytest.param("a: " + "[" * 30 + "]" * 30, "yaml_too_deep", id="deep-and-closed"),
    pytest.param("- a\n---\n- b\n", "invalid_yaml", id="two-documents"),
    pytest.param("\x00", "invalid_yaml", id="null-byte"),
    pytest.param("", "invalid_policy", id="empty"),
    pytest.param("just text", "invalid_policy", id="no-mapping"),
]


@pytest.mark.parametrize(("text", "reason"), SIZES)
def test_bounds(tmp_path: Path, text: str, reason: str) -> None:
    """What is too large, too deep or no policy at all is refused, not loaded in part."""
    assert refused(tmp_path / "p", text).reason == reason


def test_not_utf8(tmp_path: Path) -> None:
    """A file in another encoding is refused with the place."""
    folder = write_policies(tmp_path / "p", RIGHT)
    (folder / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(PolicyError) as caught:
        load_policies(folder)
    assert (caught.value.reason, str(caught.value)) == ("not_utf8", "latin.yaml: not UTF-8 at byte 9")


def test_another_ending(tmp_path: Path) -> None:
    """A policy under a name that is not read is refused, not passed over in silence."""
    assert "rename it to contain.yaml" in str(refused(tmp_path / "p", RIGHT, "contain.yml"))


def test_no_folder(tmp_path: Path) -> None:
    """A folder that is not there is no empty set of policies."""
    with pytest.raises(PolicyError) as caught:
        load_policies(tmp_path / "none")
    assert caught.value.reason == "no_policy_folder"


def test_loaded(tmp_path: Path) -> None:
    """Policies come in the order of their names, with typed parameters; test files and guardrails are none of them."""
    folder = write_policies(
        tmp_path / "p", policy("delete_pod {grace_period_seconds: 5}", name="b"), policy("notify", name="a")
    )
    (folder / "a.test.yaml").write_text("policy: a\ncases: []\n")
    found = load_policies(folder).policies
    assert [item.name for item in found] == ["a", "b"]
    assert getattr(found[1].then[0].params, "grace_period_seconds", None) == 5


def test_digest(tmp_path: Path) -> None:
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


RAILS = [
    pytest.param("protected: {namespaces: []}\nmax_mode: observe\n", "max_mode", id="mode"),
    pytest.param("protected: {namespaces: []}\nmax_finding_age: {irreversible: soon}\n", "no duration", id="age"),
    pytest.param("max_mode: enforce\n", "`protected`", id="no-protection"),
    pytest.param("protected: {namespaces: []}\nmax_pods: 3\n", "max_pods", id="unknown"),
    pytest.param("# nothing\n", "guardrails.yaml", id="only-a-comment"),
]


@pytest.mark.parametrize(("text", "told"), RAILS)
def test_guardrails(tmp_path: Path, text: str, told: str) -> None:
    """Guardrails with a mistake are refused: they are not guessed."""
    (tmp_path / "guardrails.yaml").write_text(text)
    with pytest.raises(PolicyError) as caught:
        load_guardrails(tmp_path)
    assert told in str(caught.value)


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_without_guardrails(tmp_path: Path, text: str | None) -> None:
    """Without guardrails nothing is enforced and every namespace is protected."""
    if text is not None:
        (tmp_path / "guardrails.yaml").write_text(text)
    assert load_guardrails(tmp_path) == NONE_GIVEN


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("24h", 86400), ("7d", 604800), ("0s", 0)])
def test_durations(text: str, seconds: int) -> None:
    """Durations are a number and a unit."""
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "30", "m", "1.5h", "-1h", "1 h", "1w", "1h30m", "\u0663\u0660m", "1h\n"])
def test_no_durations(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="no duration"):
        parse_duration(text)


def test_merge_keys() -> None:
    """A merge key is a key like any other: what it would bring in cannot be overlooked."""
    assert load_yaml("<<: {a: b}\n", "x") == {"<<": {"a": "b"}}
