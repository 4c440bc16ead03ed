"""`demo`: the main job on a simulated cluster, shown in a terminal."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli.demo.presentation import WIDTH
from scc_responder.domain.clock import utc_now
from scc_responder.domain.status import CaseState
from scc_responder.journal.journal import Journal
from scc_responder.journal.listed_cases import cases_of
from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.cli.commands import ROOT, Terminal, free_port, is_listening, listening_addresses, run
from tests.cluster.polling import wait_until
from tests.findings.expected import shipped_policies
from tests.kits.as_shipped import policies_as_shipped

ENDINGS = {
    "Execution: Modified Malicious Library Loaded": "done",
    "Added Binary Executed": "done",
    "Defense Evasion: Launch Code Compiler Tool In Container": "dry_run",
    "Execution: Container Escape": "waiting_for_approval",
    "Reverse Shell": "bypassed_by",
    "Reverse Shell, in a pod that takes no annotation": "invalid",
    "Added Binary Executed, in Google's own agent": "google_agent_pod",
    "The first message again": "duplicate",
    "An older message, late": "stale",
    "No finding at all": "not_json",
}
ASKED = ("roll_back_service", "cut_ingress", "scale_to_zero")
SCENE = "A person approves what waits on Cloud Run, and takes it back"
REQUESTS = [36, 22, 9, 0, 28, 31, 7, 0, 0, 0]
PUT_IN_BESIDE = 4
"""The delivery whose look is put in beside the steps: it is read once more, unless a step has read the pod since."""


class Showing:
    """A demonstration that has ended. `parts` are its deliveries' lines."""

    def __init__(self, done: subprocess.CompletedProcess[str], port: int, temporary: Path) -> None:
        self.done = done
        self.port = port
        self.temporary = temporary
        deliveries, _, rest = self.done.stdout.partition(f"\n\n{SCENE}\n")
        self.parts = re.split(r"\n\n\d+/10  ", deliveries)[1:]
        self.scene = rest.partition("\n\nThe cluster now")[0]

    def after(self, heading: str) -> list[str]:
        """The lines below a heading."""
        return self.done.stdout.partition(f"\n{heading}\n")[2].partition("\n\n")[0].splitlines()


@pytest.fixture(scope="module")
def showing(tmp_path_factory: pytest.TempPathFactory) -> Showing:
    """One run, from another folder, with its output in a pipe."""
    folder, port = tmp_path_factory.mktemp("elsewhere"), free_port()
    temporary = tmp_path_factory.mktemp("temporary")
    # Settings of a deployment in the environment are no business of the demonstration's.
    given = {"TMPDIR": str(temporary), "SCC_RESPONDER_CLUSTERS": "none", "SCC_RESPONDER_STORE": "none"}
    return Showing(run("demo", "--port", str(port), cwd=folder, **given), port, temporary)


def test_the_demo_succeeds_without_error_output(showing: Showing) -> None:
    """It ends with 0, all expectations held, and nothing goes to the standard error."""
    assert showing.done.returncode == 0, showing.done.stdout + showing.done.stderr
    assert showing.done.stderr == ""
    assert re.search(
        r"\n(\d+) of \1 expectations held, checked against the cluster's audit log\.\n", showing.done.stdout
    )
    assert "not as expected" not in showing.done.stdout


def test_a_pipe_gets_no_escapes(showing: Showing) -> None:
    """Where the output is no terminal it has no escape, no carriage return, and no line that comes and goes."""
    assert {item for item in showing.done.stdout if item < " "} == {"\n"}
    assert re.findall(r"delivered; waiting|starting functions-framework", showing.done.stdout) == []


def test_the_opening_says_what_is_simulated(showing: Showing) -> None:
    """It says first what is simulated, and that policies are raised to enforce."""
    opening = showing.done.stdout.partition("\n\n1/10")[0]
    assert "simulated, on http://127.0.0.1:" in opening
    assert "collector  played: no process runs in these pods" in opening
    assert re.search(r"They come in dry_run; of these copies \d+ are raised to enforce", opening)
    assert f"under functions-framework on http://127.0.0.1:{showing.port}" in opening


def test_every_delivery_has_heading_and_end(showing: Showing) -> None:
    """Every delivery has a heading, and an end in the function's own word."""
    told = {part.splitlines()[0]: re.findall(r"\n     ended +(\w+):", part) for part in showing.parts}
    titles = {re.sub(r" {2,}[A-Z]+$", "", title): endings for title, endings in told.items()}
    assert titles == {title: [ending] for title, ending in ENDINGS.items()}


def test_the_table_repeats_the_ends(showing: Showing) -> None:
    """The table at the end repeats the ends, with the requests that each delivery made to the cluster."""
    rows = [re.split(r" {2,}", line.strip()) for line in showing.after("The deliveries")[1:]]
    assert [(row[1], row[2]) for row in rows] == list(ENDINGS.items())
    made = [int(row[3]) - expected for row, expected in zip(rows, REQUESTS, strict=True)]
    assert made.pop(PUT_IN_BESIDE) in {0, 1}
    assert set(made) == {0}


def test_containment_is_shown_step_by_step(showing: Showing) -> None:
    """The worst finding's steps are shown one by one, in order, each verified."""
    steps = re.findall(r"\n     (\w+) +(done|skipped|held) +(.*)", showing.parts[0])
    assert [(action, re.split(r" {2,}", told)[:2]) for action, status, told in steps if status == "done"] == [
        ("isolate_pod", ["patched", "verified"]),
        ("isolate_pod", ["isolated", "verified"]),
        ("label_pod", ["patched", "verified"]),
        ("annotate_pod", ["patched", "verified"]),
        ("capture_logs", ["captured", "verified"]),
        ("capture_evidence", ["captured", "verified"]),
        ("sever_connections", ["severed", "verified"]),
        ("freeze_process", ["frozen", "verified"]),
        ("cordon_node", ["patched", "verified"]),
        ("inspect_container", ["inspected", "verified"]),
        ("delete_pod", ["armed", "verified"]),
        ("delete_pod", ["processes_ended", "verified"]),
    ]
    assert "\n     threat            processes_ended: every process of the pod has ended\n" in showing.parts[0]
    others = len(shipped_policies().policies) - 1
    assert f"contain-malicious-library (enforce) matched; {others} others: when_threat_differs" in showing.parts[0]
    assert "proved to be the finding's own pod by creation, node, container, image, start" in showing.parts[0]


def test_a_rehearsal_keeps_its_evidence(showing: Showing) -> None:
    """Each change is shown as rehearsed, and evidence as kept and verified; the pod stays as it is."""
    rehearsed = re.findall(r"\n     (\w+) +dry_run +(\w+)", showing.parts[2])
    assert rehearsed == [
        ("label_pod", "would_patch"),
        ("annotate_pod", "would_patch"),
    ]
    assert re.search(r"\n     capture_evidence +done +captured +verified", showing.parts[2])


def test_a_failed_mark_stops_nothing(showing: Showing) -> None:
    """A pod whose annotations are full is labeled, isolated, captured and frozen, each shown as verified."""
    told = showing.parts[5]
    assert re.search(r"\n     annotate_pod +failed +invalid", told)
    done = re.findall(r"\n     (\w+) +done +(\w+) +verified", told)
    assert done == [
        ("isolate_pod", "patched"),
        ("isolate_pod", "isolated"),
        ("label_pod", "patched"),
        ("capture_logs", "captured"),
        ("capture_evidence", "captured"),
        ("sever_connections", "severed"),
        ("freeze_process", "frozen"),
        ("inspect_container", "inspected"),
    ]


def test_an_isolation_is_not_called_contained(showing: Showing) -> None:
    """It says that established connections may go on, or how much further it came; a rehearsal says nothing."""
    said = [re.findall(r"\n     threat +(\w+): (.*)", part) for part in showing.parts]
    assert said[1] == [("isolated", "no new connection is possible; established ones may go on")]
    assert said[4] == said[5] == [("frozen", "the matched processes are stopped")]
    assert [number for number, words in enumerate(said) if words] == [0, 1, 4, 5]


def test_googles_agent_is_held_and_shown(showing: Showing) -> None:
    """Google's own agent is not touched: every action on it is held, by name, and shown so."""
    held = re.findall(r"\n     (\w+) +held +google_agent_pod", showing.parts[6])
    assert held == ["label_pod", "annotate_pod", "isolate_pod", "inspect_container"]
    assert "none of them writes" in showing.parts[6]


def test_an_escape_waits_for_a_person(showing: Showing) -> None:
    """Evidence of the service is kept at once; each change waits, and the plan says what its users will feel."""
    assert re.findall(r"\n     (\w+) +waiting +waiting_for_approval", showing.parts[3]) == list(ASKED)
    assert "proved to be the finding's own service by creation, its revision, image" in showing.parts[3]
    assert re.findall(r"\d\. (\w+)\n +felt ", showing.scene) == list(ASKED)
    assert re.search(r"\n     scc-responder case approve [0-9a-f]{12} --plan [0-9a-f]{12} --url http://", showing.scene)


def test_an_approved_plan_is_verified_and_undone(showing: Showing) -> None:
    """Rolled back, cut, scaled to zero, each read back; then all of it is taken back, the last change first."""
    done = re.findall(r"\n     (\w+) +done +(\w+) +verified", showing.scene)
    assert done == [
        ("roll_back_service", "rolled_back"),
        ("cut_ingress", "access_cut"),
        ("scale_to_zero", "scaled_to_zero"),
        ("scale_to_zero", "scaling_restored"),
        ("cut_ingress", "access_restored"),
        ("roll_back_service", "traffic_restored"),
    ]
    assert re.search(r"\d s from event to containment", re.sub(r"\n +", " ", showing.scene))
    assert re.search(r"\n     scc-responder case undo [0-9a-f]{12} --apply\n", showing.scene)


def test_cluster_at_the_end(showing: Showing) -> None:
    """It shows which pod is gone and replaced, which is isolated, which node is cordoned, and what is untouched."""
    shown = "\n".join(showing.after("The cluster now"))
    assert re.search(r"shop/checkout-\S+ +deleted: .*\n +shop/checkout-\S+\n +on gke-prod-1-\S+\n", shown)
    assert re.search(r"shop/web-\S+ +isolated by NetworkPolicy scc-responder-[0-9a-f]{12}", shown)
    assert "shop/orders" not in shown
    assert re.search(r"gke-prod-1-\S+ +cordoned", shown)
    assert re.search(r"shop/cart-\S+ +let out by FQDNNetworkPolicy shop/cart-api, beside our own", shown)
    assert re.search(r"ledger/ledger-\S+ +isolated by NetworkPolicy", shown)
    assert re.search(r"5 other pods +untouched", shown)


def test_it_ends_with_a_case_that_is_taken_back(showing: Showing) -> None:
    """Each change of the case by its inverse, read back; what stays in the pod says why."""
    command, _cases, *lines = showing.after("A person takes one case back")
    assert re.match(r" +scc-responder case undo [0-9a-f]{12} --apply --reason ", command)
    undone = [tuple(line.split()[:2]) for line in lines if not line.startswith(" " * 20)]  # the rest says why
    assert undone == [
        ("inspect_container", "cannot_be_undone"),
        ("isolate_pod", "undone"),
        ("annotate_pod", "undone"),
        ("label_pod", "undone"),
        ("isolate_pod", "undone"),
    ]
    assert max(map(len, lines)) <= WIDTH


def test_where_to_look_next(showing: Showing) -> None:
    """It ends with where to look next, by commands and files that are there."""
    shown = "\n".join(showing.after("Where to look next"))
    assert "explain " in shown
    assert "demo --keep" in shown
    for name in ("policies", "README.md"):
        assert f"{ROOT / name}: " in shown


def test_nothing_is_left(showing: Showing) -> None:
    """Nothing listens any more, and its folder is gone."""
    assert not is_listening(showing.port)
    assert list(showing.temporary.iterdir()) == []


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Showing:
    """A kept run of other policies, of which one no longer isolates the pod with the added binary."""
    temporary = tmp_path_factory.mktemp("kept")
    policies = policies_as_shipped(tmp_path_factory.mktemp("changed"))
    policy = policies / "respond-to-added-binary.yaml"
    policy.write_text(policy.read_text().replace("  - action: isolate_pod\n", ""))
    return Showing(run("demo", "--keep", "--policies", policies, TMPDIR=str(temporary)), 0, temporary)


def test_what_is_not_as_expected(changed: Showing) -> None:
    """Where anything ends otherwise it ends with 1 and names each expectation that did not hold."""
    assert changed.done.returncode == 1, changed.done.stderr
    failed = re.findall(r"\n  not as expected  (.*)", changed.done.stdout)
    assert [re.sub(r"-[0-9a-f]{10}-\w{5}", "", name) for name in failed] == [
        "2. Added Binary Executed: steps without isolate_pod: patched, isolate_pod: isolated",
        "2. Added Binary Executed: writes without patch pods, create networkpolicies",
        "7. Added Binary Executed, in Google's own agent: steps without isolate_pod: google_agent_pod",
        "shop/web is isolated, not marked",
    ]


def test_keep_leaves_all_files(changed: Showing) -> None:
    """With --keep the journal, evidence and log stay, where it says."""
    (folder,) = changed.temporary.iterdir()
    shown = "\n".join(changed.after("Where to look next"))
    for name in ("journal.db", "evidence", "function.log", "findings"):
        assert f"{folder / name}: " in shown
        assert (folder / name).exists()


def test_the_kept_journal_holds_every_case(changed: Showing) -> None:
    """The journal that is kept holds every case, each come to its end."""
    (folder,) = changed.temporary.iterdir()
    store = SqliteStore(folder / "journal.db")
    cases = cases_of(Journal(store, utc_now).cases()).records
    store.close()
    states = sorted((case.category, case.state) for case in cases)
    assert states == [
        ("Added Binary Executed", CaseState.DONE),
        ("Added Binary Executed", CaseState.HELD),
        ("Defense Evasion: Launch Code Compiler Tool In Container", CaseState.REHEARSED),
        ("Execution: Container Escape", CaseState.DONE),
        ("Execution: Modified Malicious Library Loaded", CaseState.DONE),
        ("Reverse Shell", CaseState.PARTIAL),
        ("Reverse Shell", CaseState.PARTIAL),
    ]


def test_only_the_copied_policies_enforce(changed: Showing) -> None:
    """The copies alone are raised to enforce, but for the one that rehearses, and those that ask a person."""
    (folder,) = changed.temporary.iterdir()
    raised = [path for path in (folder / "policies").glob("*.yaml") if "\nmode: enforce\n" in path.read_text()]
    asking = [policy for policy in shipped_policies().policies if policy.mode == "approve"]
    assert len(raised) == len(shipped_policies().policies) - 1 - len(asking)
    assert not any("\nmode: enforce\n" in path.read_text() for path in PACK.glob("*.yaml"))


def test_the_kept_log_has_every_delivery(changed: Showing) -> None:
    """The log has one line of JSON for each delivery, and one for the approval."""
    (folder,) = changed.temporary.iterdir()
    lines = [json.loads(line) for line in (folder / "function.log").read_text().splitlines()]
    assert [line["logging.googleapis.com/labels"]["reason"] for line in lines] == [*ENDINGS.values(), "done"]


def test_port_that_is_taken(tmp_path: Path) -> None:
    """A port that is in use is refused by name, and nothing is left behind."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("demo", "--port", str(port), TMPDIR=str(tmp_path))
    told = f"scc-responder: --port {port}: cannot listen on 127.0.0.1: Address already in use; name another\n"
    assert (done.returncode, done.stderr) == (1, told)
    assert list(tmp_path.iterdir()) == []


def test_function_that_does_not_start(tmp_path: Path) -> None:
    """A function that does not start ends the demonstration with 1 and the end of its log."""
    shutil.copytree(ROOT / "functions", tmp_path / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "functions" / "local_main.py").write_text("raise SystemExit('no such luck')\n")
    done = run("demo", cwd=tmp_path, PYTHONPATH=str(tmp_path / "functions"))
    assert done.returncode == 1
    assert "the function ended with status 1" in done.stderr
    assert "no such luck" in done.stderr


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C ends it without a traceback, and nothing that it started is left."""
    port = free_port()
    terminal = Terminal("demo", "--port", str(port), TMPDIR=str(tmp_path))
    terminal.wait_for("annotate_pod")
    assert listening_addresses(port) == {"0100007F"}
    terminal.interrupt()
    assert terminal.ended() == 130
    assert "Traceback" not in terminal.shown
    assert not is_listening(port)
    assert list(tmp_path.iterdir()) == []
    # On a terminal it has colour, and a line that says what is being waited for.
    assert "\x1b[1m1/10  Execution: Modified Malicious Library Loaded" in terminal.shown
    assert "\x1b[32mdone" in terminal.shown
    assert re.search(r"request \d+: patch pods checkout-\S+ \.\.\.", terminal.shown)


def test_ended_by_signal(tmp_path: Path) -> None:
    """SIGTERM ends it in order too, though the function runs in a session of its own."""
    port = free_port()
    terminal = Terminal("demo", "--port", str(port), TMPDIR=str(tmp_path), NO_COLOR="1")
    terminal.wait_for("label_pod")
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.ended() == 128 + signal.SIGTERM
    wait_until(lambda: not is_listening(port), what="the function to end")
    assert list(tmp_path.iterdir()) == []
    # NO_COLOR is honoured: all that is left is the clearing of the line that waits.
    assert set(re.findall(r"\x1b\[\w*", terminal.shown)) == {"\x1b[2K"}
