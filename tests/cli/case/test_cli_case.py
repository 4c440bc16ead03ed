"""`case`: what waits is shown exactly, and answered, at a function that is really served."""

from __future__ import annotations

import http.client
import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli.case import case_text
from scc_responder.cli.demo.function_process import FunctionProcess
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.domain.store import MAX_VALUE_BYTES
from scc_responder.domain.text import visible
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.journal.journal import Journal
from scc_responder.journal.plan import Approval, Plan, PlanState, PlanStep
from scc_responder.journal.step import Step
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.story_folder import StoryFolder
from tests.cli.commands import ROOT, called, free_port
from tests.cluster import objects
from tests.findings import data, push_body
from tests.kits.google.firestore import FirestoreEmulator, Opened
from tests.kits.google.issuer import AUDIENCE, Issuer
from tests.kits.journal_worlds import finding
from tests.kits.responder import NODE, finding_about, mutations, policy, turn, write_policies

__all__ = ["cluster"]
Object = dict[str, Any]
RAILS = "protected: {namespaces: [kube-system]}\napproval: {approvers: [ann@example.com]}\n"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
DIGEST = "ab12cd34" * 8


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    """A cluster with a pod for each test to act on."""
    with SimulatedCluster(stop_seconds=0) as running:
        running.create(objects.namespace("shop"))
        running.create(objects.node(NODE))
        running.create(objects.deployment("web", "shop", NODE, replicas=2))
        yield running


class Waiting:
    """A served function with a case that waits."""

    def __init__(self, folder: Path, cluster: SimulatedCluster, **settings: str) -> None:
        policies = write_policies(folder / "given", policy("label_pod", "delete_pod", mode="approve"), guardrails=RAILS)
        self.deployment = StoryFolder(folder)
        self.deployment.lay_out(cluster, policies)
        turn(self.deployment.journal)
        given = self.deployment.settings | {f"SCC_RESPONDER_{name.upper()}": value for name, value in settings.items()}
        self.function = FunctionProcess(ROOT / "functions", self.deployment.log, given)
        self.document = finding_about(cluster.objects("Pod", "shop")[0])

    def __enter__(self) -> Waiting:
        self.function.__enter__()
        (self.deployment.findings / "finding.json").write_bytes(data(self.document))
        assert self.function.push(push_body(self.document)) == 204
        return self

    def __exit__(self, *exception: object) -> None:
        self.function.__exit__(*exception)

    def shown(self) -> dict[str, Any]:
        """The case as `case list` prints it."""
        done = called("case", "list", "--store", self.deployment.journal, "--format", "json")
        (told,) = json.loads(done.stdout)
        return dict(told)


def test_from_waiting_to_done(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A person lists what waits, sees exactly what would be done, and approves it with the command that is shown."""
    with Waiting(tmp_path, cluster) as waiting:
        store = waiting.deployment.journal
        listed = called("case", "list", "--state", "waiting", "--store", store)
        told = waiting.shown()
        shown = called("case", "show", told["case"], "--store", store)
        command = told["plan"]["to_approve"].split()
        wrong = called(*command[1:4], "--plan", "0" * 64, "--url", waiting.function.url)
        approved = called(*command[1:], "--url", waiting.function.url)
        again = called(*command[1:], "--url", waiting.function.url)
        ended = waiting.shown()

    uid = told["plan"]["steps"][0]["changes"][0]["uid"]
    assert (listed.returncode, told["case"] in listed.stdout, "expires in 59 min" in listed.stdout) == (0, True, True)
    assert told["plan"]["digest"] in shown.stdout
    assert told["plan"]["to_approve"] in shown.stdout
    assert uid in shown.stdout
    assert "delete_pod" in shown.stdout
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "its plan was answered, expired or changed" in wrong.stderr
    assert (approved.returncode, approved.stderr) == (0, "")
    assert (again.returncode, "was answered" in again.stderr) == (1, True)
    assert (ended["state"], ended["plan"]["approvals"][0]["by"]) == ("done", "local")
    assert mutations(cluster.audit) == ["patch pods", "patch pods", "delete pods"]


def test_of_a_later_version(tmp_path: Path) -> None:
    """One case that cannot be read hides no other: it is told by its id and why, and the command ends with 1."""
    store = SqliteStore(tmp_path / "journal.db")
    held = CaseRecord(
        finding_key="a" * 64,
        finding_name="f",
        event_time=NOW,
        digest="d",
        state=CaseState.HELD,
        reason="finding_too_old",
    )
    store.create(f"case/{held.finding_key}", encode(held))
    store.create(f"case/{'b' * 64}", b'{"schema":3}')
    store.close()
    asked = ("--store", tmp_path / "journal.db")
    listed = called("case", "list", "--state", "held", *asked)
    document = called("case", "list", *asked, "--format", "json")
    healthy, newer = (called("case", "show", name * 12, *asked) for name in "ab")

    assert [line.split()[:2] for line in listed.stdout.splitlines()] == [["a" * 12, "held"], ["b" * 12, "unreadable"]]
    assert "bbbbbbbbbbbb cannot be read: record_newer: schema 3, of 2" in listed.stderr
    assert {one["case"]: one["reason"] for one in json.loads(document.stdout)} == {
        "a" * 12: "finding_too_old",
        "b" * 12: "record_newer",
    }
    assert [done.returncode for done in (listed, document, healthy, newer)] == [1, 1, 0, 1]
    assert ("finding_too_old" in healthy.stdout, healthy.stderr) == (True, "")
    assert (newer.stdout, "record_newer" in newer.stderr) == ("", True)


def test_a_node_leads_to_its_cases(tmp_path: Path) -> None:
    """Those that cordoned it, also where the record kept little, and those whose pod ran on it; no others."""
    large = {"change": "patch", "kind": "Node", "name": NODE, "spec": {"x": "x" * MAX_VALUE_BYTES}}
    cordoned = Step(action_id="1", action="cordon_node", status=StepStatus.DONE, change=large)
    pod = Step(action_id="1", action="label_pod", change={"change": "patch", "kind": "Pod", "name": NODE, "uid": "u"})
    cases: dict[str, Object] = {
        "a": {"steps": (cordoned,)},
        "b": {"decision": {"pod": {"node": NODE}}},
        "c": {"decision": {"pod": {}}},
        "d": {"steps": (pod,), "decision": {"pod": {"node": f"{NODE}0"}}},
    }
    store = SqliteStore(tmp_path / "journal.db")
    for name, fields in cases.items():
        store.create(f"case/{name * 64}", encode(record(finding_key=name * 64, plan=None, **fields)))
    store.close()
    listed = called("case", "list", "--node", NODE, "--store", tmp_path / "journal.db")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["a" * 12, "b" * 12]


def test_a_choice_that_is_not_offered_names_those_that_are(tmp_path: Path) -> None:
    """In the text and in the JSON; then one of them is taken."""
    held = Step(action_id="1", action="roll_back_service", status=StepStatus.HELD, reason="several_revisions", epoch=1)
    checks = {"one_revision_of": "checkout-2, checkout-1"}
    undecided = record(steps=(held,), plan=None, state=CaseState.PARTIAL, decision={"identity": {"checks": checks}})
    store = SqliteStore(tmp_path / "journal.db")
    store.create(f"case/{undecided.finding_key}", encode(undecided))
    store.close()
    resume = ("case", "resume", undecided.finding_key[:12], "--store", tmp_path / "journal.db", "--revision")
    refused, as_json = called(*resume, "checkout-3"), called(*resume, "checkout-3", "--format", "json")
    assert "not resumed: revision_not_offered: " in refused.stderr
    assert "that may be meant: choose one of checkout-2, checkout-1" in refused.stderr
    assert json.loads(as_json.stdout)["candidates"] == ["checkout-2", "checkout-1"]
    assert [done.returncode for done in (refused, as_json, called(*resume, "checkout-1"))] == [1, 1, 0]


def test_a_rejection_keeps_its_reason(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A person rejects it; the reason is kept, and `list` says that nothing waits."""
    with Waiting(tmp_path, cluster) as waiting:
        case, url = waiting.shown()["case"], waiting.function.url
        done = called("case", "reject", case, "--reason", "a test of ours", "--url", url, "--format", "json")
        none = called("case", "list", "--state", "waiting", "--store", waiting.deployment.journal)
        shown = called("case", "show", case, "--store", waiting.deployment.journal)

    taken = {"case": case, "answer": "reject", "taken": True, "status": 200, "reason": "approval_rejected"}
    assert json.loads(done.stdout) == taken
    assert none.stdout == "There are no such cases.\n"
    assert "rejected approval_rejected by local a test of ours" in shown.stdout
    assert mutations(cluster.audit) == []


def test_with_a_token(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Where tokens are wanted, one from a file or the environment proves who approves; without it nothing is done."""
    with (
        Issuer() as issuer,
        Waiting(tmp_path, cluster, approval_audience=AUDIENCE, approval_certs=issuer.certs) as waiting,
    ):
        told = waiting.shown()
        asked = ("case", "approve", told["case"], "--plan", told["plan"]["digest"][:8], "--url", waiting.function.url)
        (tmp_path / "token").write_text(issuer.token("eve@example.com") + "\n")
        refused = [called(*asked), called(*asked, "--token-file", tmp_path / "token")]
        taken = called(*asked, SCC_RESPONDER_ID_TOKEN=issuer.token())
        log = waiting.deployment.log.read_text()

    assert [(done.returncode, "you are no approver" in done.stderr) for done in refused] == [(1, True)] * 2
    assert taken.returncode == 0
    assert mutations(cluster.audit) == ["patch pods", "patch pods", "delete pods"]
    assert {"no_token", "approver_not_listed"} <= {
        json.loads(line)["logging.googleapis.com/labels"]["reason"] for line in log.splitlines() if line[:1] == "{"
    }


def test_an_address_with_a_path_takes_nothing(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The plan still waits, and the command says that it does."""
    with Waiting(tmp_path, cluster) as waiting:
        told = waiting.shown()
        asked = ("case", "approve", told["case"], "--plan", told["plan"]["digest"])
        done = called(*asked, "--url", f"{waiting.function.url}/scc-responder")
        state = waiting.shown()["state"]

    assert (done.returncode, done.stdout, state) == (1, "", "waiting")
    assert "no such address" in done.stderr


class Agreeable(http.server.BaseHTTPRequestHandler):
    """Something before the function that says yes to everything."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize("answer", [("approve", "--plan", DIGEST), ("reject", "--reason", "a test of ours")])
def test_a_yes_of_somebody_else_is_no_answer(answer: tuple[str, ...]) -> None:
    """An answer counts as taken only where the function says what it did."""
    with http.server.HTTPServer(("127.0.0.1", 0), Agreeable) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        done = called("case", answer[0], "0" * 12, *answer[1:], "--url", f"http://127.0.0.1:{server.server_port}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "not known to be taken" in done.stderr


def test_answers_have_constant_bodies_and_bounds(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Answers have constant bodies; other methods and paths are not theirs; a body has its bound."""
    with Waiting(tmp_path, cluster) as waiting:
        case = waiting.shown()["case"]
        body = json.dumps({"case": case, "plan": "<script>"}).encode()
        told = [
            post(waiting, "/approve", body),
            post(waiting, "/approve", b"x" * 100_000),
            post(waiting, "/approve", json.dumps({"case": case, "plan": "0" * 64}).encode()),
            post(waiting, "/approve", body, Origin="https://example.com"),
            post(waiting, "/approve", body, method="PUT"),
            post(waiting, "/approve/", body),
        ]
        state = waiting.shown()["state"]

    assert told == [(400, b""), (400, b""), (409, b""), (403, b""), (405, b""), (404, b"")]
    assert state == "waiting"
    assert mutations(cluster.audit) == []


def post(waiting: Waiting, path: str, body: bytes, method: str = "POST", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", waiting.function.port, timeout=20)
    connection.request(method, path, body, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


WRONG = {
    "no-store": (["list", "--store", "nowhere.db"], 2, "nowhere.db: there is no such file"),
    "no-function": (["approve", "0" * 12, "--plan", DIGEST, "--url", "http://127.0.0.1:PORT"], 2, "did not answer"),
    "in-the-clear": (["approve", "0" * 12, "--plan", DIGEST, "--url", "http://192.0.2.1"], 2, "give https://"),
    "no-address": (["approve", "0" * 12, "--plan", DIGEST, "--url", "my-function"], 2, "give an address"),
    "a-bad-port": (["approve", "0" * 12, "--plan", DIGEST, "--url", "http://localhost:x"], 2, "--url"),
    "a-bad-host": (["approve", "0" * 12, "--plan", DIGEST, "--url", "http://[::1"], 2, "--url http://[::1: Invalid"),
    "no-token-file": (["approve", "0" * 12, "--plan", DIGEST, "--token-file", "nowhere"], 2, "nowhere: it cannot be"),
    "no-digest": (["approve", "0" * 12], 2, "--plan"),
    "no-reason": (["reject", "0" * 12], 2, "--reason"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use_says_what_to_do(tmp_path: Path, name: str) -> None:
    """What cannot be asked ends with what to do about it, and is not asked."""
    words, status, told = WRONG[name]
    done = called("case", *(word.replace("PORT", str(free_port())) for word in words), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def record(**changes: Any) -> CaseRecord:
    """A case with a plan."""
    change = {"change": "delete_pod", "namespace": "shop", "name": "web-1", "uid": "u-1", "grace_period_seconds": 30}
    plan = Plan(
        digest=DIGEST,
        policy_digest="p",
        steps=(PlanStep(policy="contain", action="delete_pod", changes=(change,)),),
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        needed=2,
        approvals=(Approval(by="ann@example.com", at=NOW),),
    )
    values: dict[str, Any] = {
        "finding_key": "0a" * 32,
        "finding_name": "organizations/1/sources/2/findings/f",
        "event_time": NOW,
        "digest": "d",
        "category": "Reverse Shell",
        "state": CaseState.WAITING,
        "plan": plan,
        "steps": (Step(action_id="1", policy="contain", action="delete_pod", status=StepStatus.WAITING, reason="r"),),
    }
    return CaseRecord(**{**values, **changes})


def test_a_waiting_plan_is_shown_exactly() -> None:
    """The plan says what would be done to what, how many have approved, how long it waits, and what to type."""
    text = "\n".join(case_text.case(record(), NOW + timedelta(minutes=10)))
    for part in (
        "1. delete_pod  asked for by policy contain",
        "change delete_pod, namespace shop, name web-1, uid u-1, grace_period_seconds 30",
        "1 of 2 needed: ann@example.com at 10:00:00",
        "expires in 50 min, at 11:00:00 UTC",
        f"scc-responder case approve 0a0a0a0a0a0a --plan {DIGEST}",
        "scc-responder case reject 0a0a0a0a0a0a --reason 'WHY'",
    ):
        assert part in text


def test_shown_too_late() -> None:
    """Nobody is told to type what would be refused."""
    text = "\n".join(case_text.case(record(), NOW + timedelta(hours=2)))
    assert "expired" in text
    assert "case approve" not in text
    assert next(case_text.case_list([record()], NOW + timedelta(hours=2))).endswith("expired")


@settings(deadline=None)
@given(evil=st.text(max_size=50) | st.sampled_from(["\x1b[2J\x07", "\u202etxt.exe", "a\r\nb", "\x85"]))
def test_nothing_a_terminal_acts_on(evil: str) -> None:
    """Whatever a finding, a pod or a person's words contain, each line shown is one printable line."""
    plan = record().plan
    assert plan is not None
    step = PlanStep(policy=evil, action=evil, changes=({evil: evil, "labels": {evil: evil}},))
    ended = Plan(
        **{name: getattr(plan, name) for name in ("policy_digest", "created_at", "expires_at")},
        digest=evil,
        steps=(step,),
        approvals=(Approval(by=evil, at=NOW),),
        state=PlanState.REJECTED,
        by=evil,
        said=evil,
        after=evil,
    )
    steps = (Step(action_id="1", policy=evil, action=evil, reason=evil, detail=evil),)
    pod = {"pod": dict.fromkeys(("namespace", "name", "uid", "node"), evil)}
    hostile = record(category=evil, finding_name=evil, reason=evil, plan=ended, steps=steps, decision=pod)
    lines = [*case_text.case(hostile, NOW), *case_text.case_list([hostile], NOW)]
    assert [line for line in lines if visible(line) != line] == []


def test_cases_in_firestore_are_read(firestore: FirestoreEmulator) -> None:
    """The cases of a deployed function are read where it keeps them."""
    opened = Opened(firestore.host, firestore.address())
    case = Journal(opened(), lambda: NOW).claim(finding()).case
    assert case is not None
    case.close(CaseState.DONE, "contained")
    opened.close()
    listed = called(
        "case", "list", "--store", opened.address, "--format", "json", FIRESTORE_EMULATOR_HOST=firestore.host
    )
    shown = called("case", "show", "0a0a", "--store", opened.address, FIRESTORE_EMULATOR_HOST=firestore.host)
    assert [(told["state"], told["reason"]) for told in json.loads(listed.stdout)] == [("done", "contained")]
    assert (shown.returncode, shown.stderr) == (0, "")


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ("nowhere.db", "nowhere.db: there is no such file"),
        ("firestore://example-project", "give firestore://PROJECT/DATABASE"),
        ("firestore://example-project/(default)", "store"),
    ],
    ids=["no-file", "no-database", "out-of-reach"],
)
def test_a_missing_store_is_named_not_made(tmp_path: Path, store: str, told: str) -> None:
    """A store that cannot be read is named, and none is made."""
    done = called("case", "list", "--store", store, cwd=tmp_path, FIRESTORE_EMULATOR_HOST="127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
