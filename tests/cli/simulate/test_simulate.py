"""`simulate`: whom policies would have touched, and what a change of them adds."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from scc_responder.cli.main import main
from scc_responder.domain.context import Cluster
from scc_responder.domain.finding import ClusterRef
from scc_responder.workbench.explanation import read_facts
from scc_responder.workbench.snapshot_file import SnapshotFile, encode_snapshot
from tests.cli.commands import Terminal, run
from tests.findings import FOLDER, data, notification
from tests.findings.recorded import write_lines
from tests.findings.recorded_cluster import TAKEN, write_snapshot
from tests.kits.responder import RAILS, SHIPPED, policy, write_policies


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Policies for reverse shells."""
    return write_policies(tmp_path / "policies", policy("label_pod", "delete_pod", "notify"))


@pytest.fixture
def findings(tmp_path: Path) -> Path:
    """Three findings on two days about two pods, what is known of two of them, and one file that is none."""
    folder = tmp_path / "findings"
    folder.mkdir()
    context = (FOLDER / "reverse_shell.context.json").read_text()
    for number, (moment, pod) in enumerate([("2T09", "a"), ("3T09", "a"), ("3T10", "b")]):
        name = f"web-6d5f9c7b4-{pod * 5}"
        document = notification(
            "reverse_shell", event_time=f"2026-03-0{moment}:40:00Z", finding_id=f"f{number}", pod=name
        )
        (folder / f"f{number}.json").write_bytes(data(document))
        if pod == "a":
            (folder / f"f{number}.context.json").write_text(context.replace("web-6d5f9c7b4-x2x9q", name))
    (folder / "bad.json").write_text("junk")
    return folder


@pytest.fixture
def readable(findings: Path) -> Path:
    """The findings without the file that is none."""
    (findings / "bad.json").unlink()
    return findings


def simulated(
    capsys: pytest.CaptureFixture[str], findings: Path, policies: Path, *options: str | Path
) -> tuple[int, str]:
    """The exit status, and what is printed."""
    status = main(["simulate", str(findings), "--policies", str(policies), *map(str, options)])
    return status, capsys.readouterr().out


def test_text_reports_each_policy_by_day(findings: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads what was found, what each policy would have done, day by day, and what could not be read."""
    status, shown = simulated(capsys, findings, folder)
    assert status == 0
    assert (
        shown
        == f"""\
3 findings from 2026-03-02 to 2026-03-03, 3 matched by a policy
  1 could not be read: not_json
    {findings / "bad.json"}: not_json

contain (enforce): 3 findings
  act            2  delete_pod
                 2  label_pod
                 3  notify
  held           1  delete_pod: not_read
                 1  label_pod: not_read
  touches  1 pod, 1 workload, 1 namespace
  2026-03-02  matched 1, 3 actions act, 0 held; touches 1 pod, 1 workload, 1 namespace
  2026-03-03  matched 2, 4 actions act, 2 held; touches 1 pod, 1 workload, 1 namespace

Told to people: findings of HIGH or above that something holds: 1 message
          1  label_pod: not_read  scc-responder case resume CASE --apply
          1  delete_pod: not_read  scc-responder case resume CASE --apply
"""
    )


def test_an_unseen_target_can_be_assumed_present(
    findings: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A target that nobody looked at is taken to have been there, where that is asked for."""
    _, shown = simulated(capsys, findings, folder, "--assume-present", "--totals", "--targets")
    assert "  touches  2 pods, 1 workload, 1 namespace" in shown
    assert "  Pod shop/web-6d5f9c7b4-bbbbb in prod-1  delete_pod  contain (enforce)" in shown
    assert "2026-03-02  matched" not in shown


def test_a_snapshot_goes_before_other_context(
    findings: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a snapshot tells of its cluster goes before a file beside the finding, and any guess."""
    found = cluster_beside(findings / "f0.json")
    gone = SnapshotFile(taken_at=TAKEN, cluster=found, objects={"pods": [], "namespaces": [], "nodes": []})
    (tmp_path / "prod-1.json").write_bytes(encode_snapshot(gone))
    snapshot = ("--snapshot", tmp_path / "prod-1.json", "--assume-present", "--totals")
    _, shown = simulated(capsys, findings, folder, *snapshot)
    assert "3  delete_pod: target_absent" in shown
    assert "without a snapshot" not in shown


def test_clusters_without_a_snapshot(
    findings: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Findings about other clusters are counted and named, and told of as without any snapshot."""
    other = Cluster(ref=ClusterRef(project="example-project", location="europe-west1", name="prod-2"))
    (tmp_path / "prod-2.json").write_bytes(encode_snapshot(SnapshotFile(taken_at=TAKEN, cluster=other, objects={})))
    _, shown = simulated(capsys, findings, folder, "--snapshot", tmp_path / "prod-2.json", "--totals")
    path = "projects/example-project/locations/europe-west1/clusters/prod-1"
    assert f"  3 about a cluster without a snapshot: {path}\n" in shown
    assert "held           1  delete_pod: not_read" in shown
    _, shown = simulated(capsys, findings, folder, "--snapshot", tmp_path / "prod-2.json", "--format", "json")
    assert json.loads(shown)["without_snapshot"] == {path: 3}
    _, shown = simulated(capsys, findings, folder, "--snapshot", tmp_path / "prod-2.json", "--format", "markdown")
    assert "- 3 about a cluster without a snapshot" in shown


def test_two_snapshots_of_one_cluster(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody knows which of them is meant."""
    one, two = (write_snapshot(tmp_path / name, 10) for name in ("a.json", "b.json"))
    assert (
        main(["simulate", str(tmp_path), "--policies", str(folder), "--snapshot", str(one), "--snapshot", str(two)])
        == 2
    )
    assert "b.json: another snapshot is of projects/example-project/locations" in capsys.readouterr().err


@pytest.mark.parametrize("damage", [{"uid": None}, {"creationTimestamp": "yesterday"}, {"labels": ["a"]}])
def test_a_damaged_snapshot(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str], damage: dict[str, Any]
) -> None:
    """A snapshot that somebody has edited into nonsense is refused by its name: 2, and no trace."""
    path = write_snapshot(tmp_path / "prod-1.json", 20)
    content = json.loads(path.read_bytes())
    for pod in content["objects"]["pods"]:
        pod["metadata"] |= damage
        pod["metadata"] = {name: value for name, value in pod["metadata"].items() if value is not None}
    path.write_text(json.dumps(content))
    export = write_lines(tmp_path / "export.jsonl", 20)
    assert main(["simulate", str(export), "--policies", str(folder), "--snapshot", str(path)]) == 2
    told = capsys.readouterr()
    assert (told.out, f"{path}: an object about organizations/" in told.err) == ("", True)


def test_a_tripped_breaker_is_reported(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person is told when a breaker would have tripped, and why nothing happens after that."""
    export = write_lines(tmp_path / "flood.jsonl", 1_500, days=1)
    policies = write_policies(tmp_path / "all", policy("delete_pod", "notify", when="surface: pod"))
    told = [
        simulated(capsys, export, policies, "--assume-present", "--totals", *options)[1]
        for options in ((), ("--reset-after", "1h"))
    ]
    for shown in told:
        assert "  storm breaker of prod-1 trips at 2026-02-01 00:" in shown
    acts = [int(re.search(r"(\d+)  delete_pod\n", shown)[1]) for shown in told]  # type: ignore[index]
    assert acts[0] < acts[1] < 1_000
    assert "delete_pod: storm_breaker" in told[0]
    hidden = re.search(r"  (\d+) disruptions more would be done if a person reset a tripped breaker after 1h", told[0])
    assert (int(hidden[1]) if hidden else 0, "--reset-after 1h shows" in told[1]) == (acts[1] - acts[0], False)


def test_a_limit_hides_no_wider_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wider policy does not pass because a limit happened to be reached before."""
    rails = RAILS + "isolation: {limits: {cluster: [{most: 1, within: 7d}]}}\n"
    shell, wide = policy("isolate_pod"), policy("isolate_pod", when="surface: pod")
    former = write_policies(tmp_path / "former", shell, guardrails=rails)
    wider = write_policies(tmp_path / "wider", wide, guardrails=rails)
    findings = tmp_path / "findings"
    findings.mkdir()
    for number, name in enumerate(["reverse_shell", "added_binary_executed"]):
        document = notification(name, event_time=f"2026-03-02T10:0{number}:00Z", pod=f"web-6d5f9c7b4-aaaa{number}")
        (findings / f"f{number}.json").write_bytes(data(document))
    status, shown = simulated(capsys, findings, wider, "--against", former, "--assume-present")
    assert status == 1
    assert "isolate_pod  contain (enforce) behind limits" in shown
    assert shown.endswith("  WIDENS: 1 added behind limits; 2 edits of policies, 1 of them widening\n")


def cluster_beside(path: Path) -> Cluster:
    """The cluster that stands beside a finding."""
    facts = read_facts(path.with_suffix(".context.json").read_bytes(), path.name)
    assert facts.cluster is not None
    return facts.cluster


def test_only_findings_of_the_period_count(findings: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only findings of the period count; a day as its end is a whole day."""
    counts = {
        options: json.loads(simulated(capsys, findings, folder, *options, "--format", "json")[1])["findings"]
        for options in (
            ("--from", "2026-03-03"),
            ("--to", "2026-03-02"),
            ("--to", "2026-03-03T09:40:00"),
            ("--from", "2026-03-03T10:00:00+00:00", "--to", "2026-03-03"),
        )
    }
    assert list(counts.values()) == [2, 1, 1, 1]


def test_json_has_every_policy_and_day(findings: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON is one document with every policy and day, and targets where they are asked for."""
    _, shown = simulated(capsys, findings, folder, "--format", "json", "--targets")
    told = json.loads(shown)
    assert [day["count"]["matched"] for day in told["policies"][0]["days"]] == [1, 2]
    assert {item["action"] for item in told["targets"]} == {"label_pod", "delete_pod"}
    assert (told["trips"], told["without_snapshot"]) == ([], {})
    assert json.loads(simulated(capsys, findings, folder, "--format", "json")[1])["targets"] is None


def test_a_widened_reach_fails_the_comparison(
    readable: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CI is told by the exit status that a change widens reach, and a person whom it newly reaches."""
    former = write_policies(tmp_path / "former", policy("label_pod", "notify"))
    status, shown = simulated(capsys, readable, folder, "--against", former)
    assert status == 1
    assert "  added    Pod shop/web-6d5f9c7b4-aaaaa in prod-1  delete_pod  contain (enforce)" in shown
    assert shown.endswith("  WIDENS: 1 added; 1 edit of policies, 1 of them widening\n")
    status, shown = simulated(capsys, readable, former, "--against", folder)
    assert (status, shown.endswith("  does not widen: 1 removed; 1 edit of policies, 0 of them widening\n")) == (
        0,
        True,
    )
    status, shown = simulated(capsys, readable, folder, "--against", former, "--format", "json")
    assert (status, json.loads(shown)["comparison"]["widens"]) == (1, True)
    assert "**Widens reach.**" in simulated(capsys, readable, folder, "--against", former, "--format", "markdown")[1]


def test_an_edit_that_no_finding_met_fails_the_comparison(
    readable: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A policy of another threat than was recorded: its edits are told, with the exit status of one that widens."""
    before, after = (
        policy(step, name="other", when="threat: added_library_loaded")
        for step in ("delete_pod", "delete_pod {allow_last_replica: true}")
    )
    former = write_policies(tmp_path / "former", policy("label_pod"), before)
    looser = write_policies(tmp_path / "looser", policy("label_pod"), after)
    status, shown = simulated(capsys, readable, looser, "--against", former)
    assert status == 1
    assert "  WIDENS   other then.delete_pod.with.allow_last_replica  false -> true\n" in shown
    assert shown.endswith("  WIDENS: no target is touched otherwise; 1 edit of policies, 1 of them widening\n")
    status, shown = simulated(capsys, readable, former, "--against", looser)
    assert (status, "  edited   other then.delete_pod.with.allow_last_replica  true -> false\n" in shown) == (0, True)


def test_a_folder_compared_with_itself_is_said(
    readable: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gate that compares a folder with itself never fails: it says so, and what else holds the same."""
    itself = "compared with itself: --against names the folder of --policies, so that no change can show"
    (tmp_path / "link").symlink_to(folder)
    for other in (folder, tmp_path / "link"):
        status, shown = simulated(capsys, readable, folder, "--against", other)
        assert (status, f"  {itself}\n" in shown) == (0, True)
    told = json.loads(simulated(capsys, readable, folder, "--against", folder, "--format", "json")[1])
    assert told["comparison"]["compared_with"] == "itself"
    shutil.copytree(folder, tmp_path / "copy")
    status, shown = simulated(capsys, readable, folder, "--against", tmp_path / "copy")
    assert (status, "  both folders hold the same policies and guardrails\n" in shown) == (0, True)
    assert itself not in shown
    assert "same" in simulated(capsys, readable, folder, "--against", tmp_path / "copy", "--format", "markdown")[1]


def test_a_scope_that_bounds_less_fails_the_comparison(
    readable: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the policies of a team may do from now on is told, though none of them does it yet."""
    folders = [tmp_path / "former", tmp_path / "now"]
    for path, mode in zip(folders, ("approve", "enforce"), strict=True):
        write_policies(path, policy("label_pod"))
        (path / "team").mkdir()
        (path / "team" / "scope.yaml").write_text(f"max_mode: {mode}\n")
        (path / "team" / "shop.yaml").write_text(policy("label_pod", name="shop", mode="dry_run"))
    status, shown = simulated(capsys, readable, folders[1], "--against", folders[0])
    assert status == 1
    assert '  WIDENS   folders team/scope.yaml max_mode  "approve" -> "enforce"\n' in shown


def test_a_raised_mode_widens_reach(
    readable: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A policy that was in dry run and is enforced now widens reach."""
    former = write_policies(tmp_path / "former", policy("label_pod", "delete_pod", "notify", mode="dry_run"))
    status, shown = simulated(capsys, readable, folder, "--against", former)
    assert status == 1
    assert "  raised   contain: dry_run -> enforce" in shown
    assert shown.endswith("  WIDENS: 2 raised\n")


LOOSER = "protected: {namespaces: [kube-system]}\nstorm_breaker: {targets: 50}\n"
STRICTER = "protected: {namespaces: [kube-system, bank]}\n"


def test_loosened_guardrails_fail_the_comparison(
    readable: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the guardrails hold no more is told, though no finding met it, and no change passes that loosens them."""
    looser = write_policies(tmp_path / "looser", policy("label_pod"), guardrails=LOOSER)
    stricter = write_policies(tmp_path / "stricter", policy("label_pod"), guardrails=STRICTER)

    status, shown = simulated(capsys, readable, looser, "--against", stricter)
    assert status == 1
    assert '  WIDENS   guardrails protected.namespaces  removed "bank"\n' in shown
    assert "  WIDENS   guardrails storm_breaker.targets  10 -> 50\n" in shown
    assert shown.endswith("  WIDENS: no target is touched otherwise; 2 edits of the guardrails, 2 of them widening\n")
    shown = simulated(capsys, readable, looser, "--against", stricter, "--format", "json")[1]
    assert json.loads(shown)["comparison"]["guardrails"] == [
        {"field": "protected.namespaces", "before": "bank", "after": None, "widens": True},
        {"field": "storm_breaker.targets", "before": 10, "after": 50, "widens": True},
    ]
    shown = simulated(capsys, readable, looser, "--against", stricter, "--format", "markdown")[1]
    assert "**Widens reach.**" in shown
    assert "| widens | guardrails | storm\\_breaker.targets | 10 -&#62; 50 |" in shown

    status, shown = simulated(capsys, readable, stricter, "--against", looser)
    assert (status, '  edited   guardrails protected.namespaces  added "bank"\n' in shown) == (0, True)


def test_shipped_policies_against_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    """The shipped policies on all goldens: whatever is odd there is counted, and nothing widens."""
    status, shown = simulated(
        capsys, FOLDER / "catalogue", SHIPPED, "--against", SHIPPED, "--assume-present", "--format", "json"
    )
    told = json.loads(shown)
    assert (status, told["bad"], told["findings"]) == (0, {}, 166)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nowhere.json"], "nowhere.json: there is no such file or folder"),
        ([str(FOLDER / "reverse_shell.json"), "--policies", "nowhere"], "nowhere: there is no such folder"),
        ([str(FOLDER / "reverse_shell.json"), "--against", "nowhere"], "nowhere: there is no such folder"),
    ],
)
def test_wrong_use_leaves_stdout_empty(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not there ends with 2, is named, and leaves standard output empty."""
    assert main(["simulate", *options]) == 2
    told = capsys.readouterr()
    assert (told.out, said in told.err) == ("", True)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--from", "yesterday", "--from: 'yesterday' is no time; write a day such as 2026-03-02"),
        ("--to", "2026-13-01", "--to: '2026-13-01' is no time"),
        ("--reset-after", "soon", "--reset-after: 'soon' is no duration; write a number and a unit"),
    ],
)
def test_a_wrong_time_names_the_form(option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A time that is none is wrong use, and told with what was expected."""
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "x", option, value])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_nothing_to_compare_by(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A change does not pass because what should have been findings were none."""
    (tmp_path / "export.json").write_text("[{}, {}]")
    command = ["simulate", str(tmp_path / "export.json"), "--policies", str(folder), "--against", str(folder)]
    assert main(command) == 2
    assert "nothing to compare by: none of 2 could be read as a finding" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "", "[]", "{}"], ids=["empty-folder", "empty-file", "empty-list", "junk"])
def test_a_gate_needs_findings(
    tmp_path: Path, folder: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """An export that is empty lets no change pass, and says nothing of any policy."""
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    if content is not None:
        (recorded / "export.json").write_text(content)
    for options, said in ((["--against", str(folder)], "nothing to compare by: "), ([], "nothing to simulate: ")):
        assert main(["simulate", str(recorded), "--policies", str(folder), *options]) == 2
        told = capsys.readouterr()
        assert (told.out, said in told.err) == ("", True)


def test_a_period_that_ends_before_it_begins(readable: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told as what it is, not as a time without findings."""
    options = ["--policies", str(folder), "--from", "2027-01-01", "--to", "2026-01-01"]
    assert main(["simulate", str(readable), *options]) == 2
    assert "--from: it is not before --to" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_that_no_finding_can_have(
    tmp_path: Path, folder: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first and the last second that can be written are no time of an event: the finding is named as unreadable."""
    document = notification("reverse_shell", finding={"eventTime": text, "createTime": text})
    (tmp_path / "odd.json").write_text(json.dumps(document))
    assert main(["simulate", str(tmp_path / "odd.json"), "--policies", str(folder), "--assume-present"]) == 2
    assert "odd.json: no_event_time" in capsys.readouterr().err


def test_limits_of_any_length_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The longest time that can be written reaches back before any calendar, and is counted like any other."""
    rails = RAILS + "storm_breaker: {within: 999999d}\nlimits: {cluster: [{most: 1, within: 999999d}]}\n"
    export = write_lines(tmp_path / "export.jsonl", 20)
    policies = write_policies(tmp_path / "long", policy("delete_pod", when="surface: pod"), guardrails=rails)
    status, shown = simulated(capsys, export, policies, "--assume-present")
    assert (status, "delete_pod: limit_cluster" in shown) == (0, True)


def test_a_period_without_findings(readable: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does a period in which there is none."""
    options = ["--policies", str(folder), "--against", str(folder), "--from", "2027-01-01"]
    assert main(["simulate", str(readable), *options]) == 2
    assert "none of the time that --from and --to leave" in capsys.readouterr().err


def test_a_gate_needs_every_finding(findings: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that cannot be read may be the one that a change would reach: the report is shown, and it does not pass."""
    assert main(["simulate", str(findings), "--policies", str(folder), "--against", str(folder)]) == 2
    told = capsys.readouterr()
    assert f"{findings / 'bad.json'}: not_json" in told.out
    assert told.err == "scc-responder: 1 could not be read: not compared by all there is\n"


@pytest.mark.parametrize(("mode", "status"), [("approve", 1), ("disabled", 0)], ids=["raised", "lowered"])
def test_a_change_of_the_shipped_policies(
    tmp_path: Path, mode: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the goldens of all threats, a copy of the shipped policies passes with less reach, and not with more."""
    changed = Path(shutil.copytree(SHIPPED, tmp_path / "changed"))
    path = changed / "isolate-reverse-shell.yaml"
    path.write_text(path.read_text().replace("mode: dry_run", f"mode: {mode}"))
    given = ("--assume-present", "--against", SHIPPED)
    assert simulated(capsys, FOLDER / "catalogue", changed, *given)[0] == status


def test_which_folder_is_wrong(
    tmp_path: Path, findings: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both folders have files of the same name: a mistake says in which it is."""
    former = write_policies(tmp_path / "former", policy("label_pod") + "x: 1\n")
    assert main(["simulate", str(findings), "--policies", str(folder), "--against", str(former)]) == 2
    assert f"--against {former}:\ncontain.yaml:9: x: unknown field" in capsys.readouterr().err


def test_a_hostile_file_name(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file's name is shown as text."""
    (tmp_path / "\x1b[31mx.json").write_text("junk")
    assert main(["simulate", str(tmp_path / "\x1b[31mx.json"), "--policies", str(folder)]) == 2
    shown = capsys.readouterr().err
    assert ("\x1b" in shown, "\\u001b[31mx.json: not_json" in shown) == (False, True)


def test_progress_on_a_terminal_only(tmp_path: Path, folder: Path) -> None:
    """A long run shows how far it has come on a terminal, and takes that away; elsewhere there is none of it."""
    export = write_lines(tmp_path / "export.jsonl", 2_000)
    terminal = Terminal("simulate", str(export), "--policies", str(folder), "--assume-present")
    assert terminal.ended() == 0
    assert re.search(r"\[#+\.+\] [\d,]+ of 2,000 findings, \d+ s left", terminal.shown)
    piped = run("simulate", export, "--policies", folder, "--assume-present")
    assert (piped.returncode, piped.stderr) == (0, "")
    assert "of 2,000 findings," not in piped.stdout


def test_a_hostile_amount_of_reasons(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Many bad findings are counted, and few named: the report stays short."""
    good = json.dumps(notification("reverse_shell"))
    (tmp_path / "bad.jsonl").write_text("{}\njunk\n" * 500 + good + "\n")
    _, shown = simulated(capsys, tmp_path / "bad.jsonl", folder)
    assert "500 could not be read: not_json" in shown
    assert "500 could not be read: not_a_finding" in shown
    assert len(shown.splitlines()) < 70
