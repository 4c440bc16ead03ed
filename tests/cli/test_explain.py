"""`explain`: what every policy would do with a finding, as text for a person and as JSON for a script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scc_responder.cli.main import main
from scc_responder.workbench.policy_files.shipped_pack import PACK
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.notifications import (
    ADDED_BINARY,
    REVERSE_SHELL,
    STORY_CLUSTER,
    Detection,
    about_pod,
)
from scc_responder.workbench.simulated_cluster.story.scenario import AGENT, populate
from scc_responder.workbench.simulated_cluster.story.story_folder import CONTEXT, StoryFolder
from tests.cli.commands import Terminal, run
from tests.findings import FOLDER, RUNBOOKS, data, names, notification
from tests.findings.expected import shipped_policies
from tests.kits import responder as deployment

CONTEXT_FILE = FOLDER / "added_binary_executed.context.json"
NAMES = {
    "added_binary_executed": "respond-to-added-binary",
    "modified_malicious_library_loaded": "contain-malicious-library",
    "launch_code_compiler_tool_in_container": "respond-to-compiler",
    "cloud_run_container_escape": "report-cloud-run-escape",
}
ASKING = {"cloud_run_container_escape": ("isolate-cloud-run-attack",)}


class ToldAction(msgspec.Struct, forbid_unknown_fields=True):
    """One action as the contract has it."""

    action: str
    result: str
    reason: str
    changes: list[dict[str, Any]]
    felt: list[str] = []


class ToldPolicy(msgspec.Struct, forbid_unknown_fields=True):
    """One policy as the contract has it."""

    name: str
    mode: str
    mode_reason: str
    matched: bool
    reason: str
    actions: list[ToldAction]
    hint: str = ""


class ToldStep(msgspec.Struct, forbid_unknown_fields=True):
    """One step in its turn, as the contract has it."""

    policy: str
    action: str
    needs: list[str]
    needs_identity: bool
    on_failure: str


class ToldShot(msgspec.Struct, forbid_unknown_fields=True):
    """What waits where a policy has not acted yet, as the contract has it."""

    policy: str
    mode: str
    place: str
    warm_up: str
    actions: list[str]
    then: str
    detail: str
    notice: dict[str, Any] | None


class ToldHold(msgspec.Struct, forbid_unknown_fields=True):
    """One hold of which people are told, as the contract has it."""

    action: str
    reason: str
    to_do: str


class ToldPeople(msgspec.Struct, forbid_unknown_fields=True):
    """What people are told, as the contract has it."""

    reason: str
    holds: list[ToldHold]


class Told(msgspec.Struct, forbid_unknown_fields=True):
    """The document as the contract has it."""

    rejected: str | None
    finding: dict[str, Any] | None
    threat: dict[str, Any] | None
    context: dict[str, Any] | None
    policies: list[ToldPolicy]
    order: list[ToldStep]
    first_shots: list[ToldShot]
    told: ToldPeople | None

    def policy(self, name: str) -> ToldPolicy:
        """The answer of one policy."""
        return next(policy for policy in self.policies if policy.name == name)


class Explained:
    """`explain` in this process, as a script would call it."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def text(self, finding: Path, *options: str | Path) -> tuple[int, str]:
        """The exit status, and what a person reads."""
        status = main(["explain", str(finding), "--policies", str(PACK), *map(str, options)])
        return status, self._capsys.readouterr().out

    def json(self, finding: Path, *options: str | Path) -> tuple[int, Told]:
        """The exit status, and the document, which alone is on the standard output."""
        status, shown = self.text(finding, "--format", "json", *options)
        return status, msgspec.json.decode(shown, type=Told)

    def error(self, finding: Path, *options: str | Path) -> str:
        """The message of what ended with 2."""
        assert main(["explain", str(finding), "--policies", str(PACK), *map(str, options)]) == 2
        shown = self._capsys.readouterr()
        assert shown.out == ""
        return shown.err


@pytest.fixture
def explained(capsys: pytest.CaptureFixture[str]) -> Explained:
    """`explain` with the shipped policies."""
    return Explained(capsys)


def golden(name: str) -> Path:
    """The file of a golden notification."""
    return FOLDER / f"{name}.json"


def written(tmp_path: Path, document: dict[str, Any] | bytes) -> Path:
    """A notification as a file."""
    path = tmp_path / "finding.json"
    path.write_bytes(document if isinstance(document, bytes) else data(document))
    return path


@pytest.mark.parametrize("name", names())
def test_json_has_exactly_the_contract_fields(name: str, explained: Explained) -> None:
    """Whatever the finding, the JSON has the fields of the contract and no other, and ends 1 only if it is rejected."""
    status, told = explained.json(golden(name))
    assert status == (1 if told.rejected else 0)
    assert (told.rejected is None) == (told.context is not None)
    assert len(told.policies) == (0 if told.rejected else len(shipped_policies().policies))
    results = {action.result for policy in told.policies for action in policy.actions}
    assert results <= {"planned", "skipped", "held"}


@pytest.mark.parametrize("name", RUNBOOKS)
def test_each_runbooks_finding_matches_its_policy(name: str, explained: Explained) -> None:
    """The finding of each runbook is matched by that runbook's policy, and every other says why it does not act.

    On Cloud Run a second policy asks a person.
    """
    status, told = explained.json(golden(name))
    assert status == 0
    assert [policy.name for policy in told.policies if policy.matched] == [*ASKING.get(name, ()), NAMES[name]]
    others = {policy.name: policy.reason for policy in told.policies if not policy.matched}
    suspicious = {"launch_code_compiler_tool_in_container", "added_binary_executed"}
    waiting = {"isolate-raised-suspicion"} if name in suspicious else set()
    waiting |= {"cancel-cloud-run-execution"} if name in ASKING else set()
    assert {policy for policy, reason in others.items() if reason != "when_threat_differs"} == waiting
    modes = {policy.name: policy.mode for policy in told.policies if policy.matched}
    assert modes == {NAMES[name]: "dry_run", **dict.fromkeys(ASKING.get(name, ()), "approve")}


@pytest.mark.parametrize("name", RUNBOOKS)
def test_runbooks_as_text(name: str, explained: Explained) -> None:
    """A person reads the category, each action of the policy that matched, and the others by why they did not."""
    status, shown = explained.text(golden(name))
    lines = shown.splitlines()
    assert status == 0
    assert lines[0] == notification(name)["finding"]["category"]
    assert f"{NAMES[name]} (dry_run): matched" in lines
    others = shown.partition(" not: when_threat_differs")[2].replace(",", "").split()
    assert set(NAMES.values()) - {NAMES[name]} <= set(others)
    assert len(set(others)) == int(re.search(r"(\d+) not: when_threat_differs", shown)[1])  # type: ignore[index]
    assert any(line.startswith("  capture_evidence  planned") for line in lines)


def test_planned_actions_list_their_changes(explained: Explained) -> None:
    """With what is known of the target, each planned action lists its changes, bound to the UID that was read."""
    _, told = explained.json(golden("added_binary_executed"), "--context", CONTEXT_FILE)
    actions = {action.action: action for action in told.policy("respond-to-added-binary").actions}
    assert [(name, action.result) for name, action in actions.items()] == [
        ("label_pod", "planned"),
        ("annotate_pod", "planned"),
        ("isolate_pod", "planned"),
        ("capture_logs", "planned"),
        ("capture_evidence", "planned"),
        ("inspect_container", "planned"),
        ("notify", "planned"),
    ]
    assert actions["isolate_pod"].changes[1]["change"] == "create_network_policy"
    assert actions["isolate_pod"].changes[1]["pod_uid"] == "11111111-1111-4111-8111-111111111111"


def test_the_order_says_what_needs_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Steps of all policies, as they are carried out: a deletion waits for its evidence, named or not."""
    chained = deployment.policy("isolate_pod", "capture_evidence", "delete_pod")
    chained = chained.replace("isolate_pod\n", "isolate_pod\n    on_failure: stop\n")
    folder = deployment.write_policies(tmp_path, chained, deployment.policy("label_pod", "notify", name="mark"))
    options = ("--context", str(FOLDER / "reverse_shell.context.json"), "--policies", str(folder))
    assert main(["explain", str(golden("reverse_shell")), *options]) == 0
    shown = capsys.readouterr().out
    assert main(["explain", str(golden("reverse_shell")), *options, "--format", "json"]) == 0
    told = msgspec.json.decode(capsys.readouterr().out, type=Told)

    assert [line.split(". ", 1)[1] for line in shown.splitlines() if re.match(r" +\d\. ", line)] == [
        "isolate_pod       needs identity; stops the later changes if it fails; contain",
        "capture_evidence  contain",
        "label_pod         mark",
        "delete_pod        needs capture_evidence, identity; contain",
        "notify            mark",
    ]
    assert [step.action for step in told.order if step.needs == ["capture_evidence"]] == ["delete_pod"]
    assert [step.action for step in told.order if step.on_failure == "stop"] == ["isolate_pod"]
    assert [step.action for step in told.order if step.needs_identity] == ["isolate_pod", "delete_pod"]


def test_a_first_shot_and_its_end_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What waits the first time that a policy acts in a cluster, for how long, and what then comes of it."""
    rails = f"{deployment.RAILS}warm_up: 60s\n"
    folder = deployment.write_policies(tmp_path, deployment.policy("label_pod", "delete_pod"), guardrails=rails)
    options = ("--context", str(FOLDER / "reverse_shell.context.json"), "--policies", str(folder))
    assert main(["explain", str(golden("reverse_shell")), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    waits = lines.index("The first time that contain acts in prod-1")
    assert lines[waits + 1] == "  delete_pod waits 60s; if nothing else waits then: done"


def test_who_is_told_of_a_hold(tmp_path: Path, explained: Explained) -> None:
    """A severe finding that is held has a command for what to do now; another one says nothing."""
    document = notification("reverse_shell")
    for severity in ("HIGH", "LOW"):
        document["finding"]["severity"] = severity
        _, shown = explained.text(written(tmp_path, document))
        is_told = "A person is told, as its severity is HIGH or above" in shown.splitlines()
        assert is_told is (severity == "HIGH")
        assert ("scc-responder case resume" in shown) is is_told


def test_identity_is_told_in_both_formats(explained: Explained) -> None:
    """Text and JSON say how sure it is that the pod is the finding's."""
    _, shown = explained.text(golden("added_binary_executed"), "--context", CONTEXT_FILE)
    _, told = explained.json(golden("added_binary_executed"), "--context", CONTEXT_FILE)
    assert "  identity  proved: all_checks_held" in shown
    assert "shop/web-6d5f9c7b4-x2x9q on gke-prod-1-pool-1-3f2a1b0c-q7wz" in shown
    assert told.context is not None
    assert told.context["identity"]["level"] == "proved"


def test_without_a_target(explained: Explained) -> None:
    """Where nothing was read of the pod, actions on it are not planned, and it is said what would read it."""
    _, told = explained.json(golden("added_binary_executed"))
    _, shown = explained.text(golden("added_binary_executed"))
    actions = {action.action: action for action in told.policy("respond-to-added-binary").actions}
    assert actions["label_pod"].result in {"held", "skipped"}
    assert actions["label_pod"].reason == "not_read"
    assert actions["capture_evidence"].result == "planned"
    assert "  pod       not_read: give --cluster or --context" in shown.splitlines()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no JSON", "not_json"),
        (b"[1, 2]", "not_a_finding"),
        (b"{}", "not_a_finding"),
        (b"", "not_json"),
        (data({"findings": [{}, {}]}), "several_findings"),
    ],
    ids=["text", "list", "empty-object", "empty", "several"],
)
def test_a_rejected_finding_ends_with_one(content: bytes, reason: str, tmp_path: Path, explained: Explained) -> None:
    """What is no finding is rejected by name, and ends with 1."""
    path = written(tmp_path, content)
    assert explained.text(path) == (1, f"Nothing is decided: {reason}\n")
    status, told = explained.json(path)
    assert (status, told.rejected, told.finding, told.policies) == (1, reason, None, [])


@pytest.mark.parametrize("name", ["inactive", "muted", "misconfiguration"])
def test_out_of_scope(name: str, explained: Explained) -> None:
    """A finding that is not to be acted on at all is told from one that no policy matches."""
    status, told = explained.json(golden(name))
    assert status == 1
    assert told.rejected
    assert told.finding is not None
    assert told.policies == []


@pytest.mark.parametrize(
    ("moment", "result"),
    [
        ("2026-03-02T09:40:00", "planned"),
        ("2026-03-02T09:40:00+00:00", "planned"),
        ("2026-03-02T10:40:00+01:00", "planned"),
        ("2026-03-05T09:40:00Z", "held"),
    ],
    ids=["naive-is-utc", "utc", "other-zone", "days-later"],
)
def test_the_time_of_the_explanation_can_be_set(moment: str, result: str, explained: Explained) -> None:
    """A finding is explained as of its event, or of the time that is given."""
    _, told = explained.json(golden("added_binary_executed"), "--context", CONTEXT_FILE, "--at", moment)
    label = told.policy("respond-to-added-binary").actions[0]
    assert (label.result, label.reason) == (result, "planned" if result == "planned" else "finding_too_old")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--context", "none.json"), "none.json: No such file"),
        (("--policies", "none"), "none: there is no such folder"),
        (("--cluster", "prod-1", "--clusters", "none.yaml"), "none.yaml: No such file"),
    ],
    ids=["context", "policies", "clusters"],
)
def test_a_missing_file_is_named(options: tuple[str, ...], told: str, explained: Explained) -> None:
    """A file that is not there is named."""
    assert told in explained.error(golden("reverse_shell"), *options)


def test_a_misspelt_context_field_is_named(tmp_path: Path, explained: Explained) -> None:
    """A misspelt field of a context file is named with the file."""
    context = tmp_path / "context.json"
    context.write_text('{"pood": {}}')
    shown = explained.error(golden("reverse_shell"), "--context", context)
    assert "context.json" in shown
    assert "pood" in shown


HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202egpj.exe\r\n\x9b31m"


def hostile_notification(text: str) -> dict[str, Any]:
    """A notification into whose every free text an attacker has written."""
    document = notification("added_binary_executed")
    finding = document["finding"]
    finding |= {"category": text, "description": text, "parentDisplayName": text}
    finding["processes"][0] |= {"name": text, "args": [text]}
    finding["kubernetes"]["pods"][0] |= {"ns": text, "name": text}
    finding["sourceProperties"] |= {"Pod_Name": text, "Pod_Namespace": text}
    return document


def steers(shown: str) -> list[str]:
    """The characters that a terminal would act on, or that reorder what is read."""
    bidirectional = set(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F]))
    return [
        item for item in shown if (item < " " and item != "\n") or "\x7f" <= item <= "\x9f" or item in bidirectional
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_hostile_finding_never_reaches_the_terminal_raw(form: str, tmp_path: Path, explained: Explained) -> None:
    """Text that an attacker wrote into a finding never reaches the terminal raw."""
    _, shown = explained.text(written(tmp_path, hostile_notification(HOSTILE)), "--format", form)
    assert steers(shown) == []
    assert "gpj.exe" in shown


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_any_text_is_printed_harmlessly(text: str, tmp_path: Path, explained: Explained) -> None:
    """Whatever stands in a finding, the output holds nothing that a terminal would act on."""
    _, shown = explained.text(written(tmp_path, hostile_notification(text)))
    assert steers(shown) == []


@pytest.mark.parametrize("form", ["text", "json"])
def test_hostile_context_is_printed_harmlessly(form: str, tmp_path: Path, explained: Explained) -> None:
    """Nor does text in a context file."""
    facts = json.loads(CONTEXT_FILE.read_text())
    facts["pod"] |= {"name": HOSTILE, "namespace": HOSTILE, "node_name": HOSTILE}
    context = tmp_path / "context.json"
    context.write_text(json.dumps(facts))
    _, shown = explained.text(golden("added_binary_executed"), "--context", context, "--format", form)
    assert steers(shown) == []


class Live:
    """A simulated cluster, a clusters.yaml that names it, and the finding of one of its pods."""

    def __init__(self, folder: Path, cluster: SimulatedCluster) -> None:
        self.cluster = cluster
        self.deployment = StoryFolder(folder)
        populate(cluster)
        self.deployment.lay_out(cluster, PACK)
        self.finding = folder / "finding.json"
        self.pod = self.detect(REVERSE_SHELL, "web")

    def detect(self, detection: Detection, app: str) -> dict[str, Any]:
        """Let the finding be about a pod of this workload, and return the pod."""
        pod = next(pod for pod in self.cluster.objects("Pod") if pod["metadata"]["labels"]["app"] == app)
        self.finding.write_text(json.dumps(about_pod(detection, pod, datetime.now(UTC))))
        return pod

    @property
    def clusters(self) -> Path:
        """The file of clusters."""
        return self.deployment.clusters

    def list_twice(self) -> None:
        """Let the file list the cluster in a second location, under the same last part and context."""
        entries = json.loads(self.clusters.read_text())
        entries[STORY_CLUSTER.replace("europe-west1", "us-east1")] = entries[STORY_CLUSTER]
        self.clusters.write_text(json.dumps(entries))


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A cluster to be read."""
    with SimulatedCluster() as cluster:
        yield Live(tmp_path, cluster)


@pytest.mark.parametrize("name", [STORY_CLUSTER, "prod-1", CONTEXT], ids=["full-name", "last-part", "context"])
def test_a_named_cluster_is_only_read(name: str, live: Live, explained: Explained) -> None:
    """The target is read from the cluster that is named, and nothing is written to it."""
    status, told = explained.json(live.finding, "--cluster", name, "--clusters", live.clusters)
    assert status == 0
    assert told.context is not None
    assert told.context["pod"]["uid"] == live.pod["metadata"]["uid"]
    assert told.context["identity"]["level"] == "proved"
    assert told.context["missing"] == {"related": "not_read"}
    assert {event.verb for event in live.cluster.audit} == {"get"}


def test_cluster_in_the_place_of_another(live: Live, explained: Explained) -> None:
    """The cluster that is named stands for the finding's own, which need not be in the file."""
    finding = json.loads(live.finding.read_text().replace("/clusters/prod-1", "/clusters/elsewhere"))
    live.finding.write_text(json.dumps(finding))
    _, told = explained.json(live.finding, "--cluster", "prod-1", "--clusters", live.clusters)
    assert told.context is not None
    assert told.context["pod"]["uid"] == live.pod["metadata"]["uid"]
    assert told.context["cluster"]["ref"]["name"] == "elsewhere"


def test_a_held_action_shows_its_reason(live: Live, explained: Explained) -> None:
    """What may not be done is held with its reason, in text as in JSON."""
    live.detect(ADDED_BINARY, AGENT)
    options = ("--cluster", "prod-1", "--clusters", live.clusters)
    _, told = explained.json(live.finding, *options)
    _, shown = explained.text(live.finding, *options)
    actions = {action.action: action for action in told.policy("respond-to-added-binary").actions}
    assert (actions["isolate_pod"].result, actions["isolate_pod"].reason) == ("held", "google_agent_pod")
    assert actions["capture_evidence"].result == "planned"
    assert "  isolate_pod       held      google_agent_pod" in shown.splitlines()


def test_what_lowers_a_mode_is_named(tmp_path: Path, explained: Explained) -> None:
    """What takes a policy's mode down is named beside it, in text as in JSON."""
    rails = "protected: {}\nceilings: [{name: production, max_mode: dry_run, namespaces: [shop]}]\n"
    enforcing = deployment.policy("label_pod", when="category: Added Binary Executed")
    folder = deployment.write_policies(tmp_path / "policies", enforcing, guardrails=rails)
    options = ("--context", CONTEXT_FILE, "--policies", folder)
    _, told = explained.json(golden("added_binary_executed"), *options)
    _, shown = explained.text(golden("added_binary_executed"), *options)
    assert (told.policies[0].mode, told.policies[0].mode_reason) == ("dry_run", "mode_lowered_by:production")
    assert "contain (dry_run): matched  mode_lowered_by:production" in shown.splitlines()


@pytest.mark.parametrize("name", ["prod-2", "prod", "clusters/prod-1", "*"])
def test_an_unknown_cluster_lists_the_known_ones(name: str, live: Live, explained: Explained) -> None:
    """An unknown name is refused with those that are there, before any request."""
    shown = explained.error(live.finding, "--cluster", name, "--clusters", live.clusters)
    assert f"no cluster is named {name!r}" in shown
    assert f"there are: {STORY_CLUSTER} (context {CONTEXT})" in shown
    assert live.cluster.audit == ()


def test_an_ambiguous_cluster_needs_its_full_name(live: Live, explained: Explained) -> None:
    """A last part or context that two clusters share names neither; the full name still does."""
    live.list_twice()
    for name in ("prod-1", CONTEXT):
        assert f"several clusters are named {name!r}" in explained.error(
            live.finding, "--cluster", name, "--clusters", live.clusters
        )
    assert explained.json(live.finding, "--cluster", STORY_CLUSTER, "--clusters", live.clusters)[0] == 0


def test_cluster_without_the_pod(live: Live, explained: Explained) -> None:
    """A pod that is gone is missing, and said so."""
    live.finding.write_text(live.finding.read_text().replace(live.pod["metadata"]["name"], "web-gone"))
    _, shown = explained.text(live.finding, "--cluster", "prod-1", "--clusters", live.clusters)
    assert "  pod       target_absent" in shown


def test_cluster_for_a_finding_without_one(live: Live, explained: Explained) -> None:
    """A finding about Cloud Run is explained without any request."""
    path = golden("cloud_run_container_escape")
    status, told = explained.json(path, "--cluster", "prod-1", "--clusters", live.clusters)
    assert (status, told.policy("report-cloud-run-escape").matched) == (0, True)
    assert live.cluster.audit == ()


def test_rejected_with_a_cluster(tmp_path: Path, live: Live, explained: Explained) -> None:
    """What is rejected is rejected before any request."""
    path = tmp_path / "other.json"
    path.write_text("junk")
    status, told = explained.json(path, "--cluster", "prod-1", "--clusters", live.clusters)
    assert (status, told.rejected) == (1, "not_json")
    assert live.cluster.audit == ()


def test_cluster_and_context(explained: Explained, capsys: pytest.CaptureFixture[str]) -> None:
    """A running cluster and a file exclude each other."""
    with pytest.raises(SystemExit) as ended:
        explained.text(golden("reverse_shell"), "--cluster", "prod-1", "--context", CONTEXT_FILE)
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_colour_on_a_terminal() -> None:
    """On a terminal the category is bold."""
    terminal = Terminal("explain", str(golden("reverse_shell")))
    assert terminal.ended() == 0
    assert terminal.shown.startswith("\x1b[1mReverse Shell\x1b[0m")


def test_no_colour_reaches_a_pipe() -> None:
    """NO_COLOR is honoured on a terminal, and what is no terminal gets no escape at all."""
    terminal = Terminal("explain", str(golden("reverse_shell")), NO_COLOR="1")
    assert terminal.ended() == 0
    piped = run("explain", golden("reverse_shell"))
    assert "\x1b" not in terminal.shown
    assert "\x1b" not in piped.stdout
    assert terminal.shown.splitlines() == piped.stdout.splitlines()


def test_a_condition_that_cannot_be_answered_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The key that is missing stands there by its own name, in text and in JSON."""
    asked = 'condition: \'pod.labels["example.com/tier"] == "web"\'\n'
    text = (PACK / "isolate-reverse-shell.yaml").read_text().replace("\nthen:\n", f"\n{asked}then:\n")
    (tmp_path / "isolate-reverse-shell.yaml").write_text(text)
    context = str(FOLDER / "reverse_shell.context.json")
    given = ["explain", str(FOLDER / "reverse_shell.json"), "--context", context, "--policies", str(tmp_path)]
    assert main(given) == 0
    shown = capsys.readouterr().out
    assert main([*given, "--format", "json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["policies"]
    assert "isolate-reverse-shell: condition: " in shown
    for said in (shown, told["hint"]):
        assert "it cannot be answered" in said
        assert "example.com/tier" in said
