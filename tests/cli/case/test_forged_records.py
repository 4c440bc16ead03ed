"""`case verify` finds what was changed in a case's record: by its chain, or by what was said of it elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.cli.main import main
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.chain.step_chain import extended
from scc_responder.journal.journal import Transition
from scc_responder.journal.plan import plan_digest
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.compromised_pod import small
from tests.kits.responder import ALL, deployed, finding_about, policy

Record = dict[str, Any]
Forgery = Callable[[Record], object]
STEPS = 9


class Answered:
    """A finding that was contained, and what was said of it: log lines, messages and manifests."""

    def __init__(self, folder: Path, cluster: SimulatedCluster, mode: str = "enforce") -> None:
        self.deployment = deployed(folder, cluster, policy(*ALL, mode=mode))
        self.document = finding_about(cluster.objects("Pod", "shop")[0])
        assert self.deployment.respond_to(self.document).reason == (
            "done" if mode == "enforce" else "waiting_for_approval"
        )
        assert self.deployment.deliver(self.document).reason == "duplicate"
        self.case = case_id(parse_notification(self.document).key)
        self.store, self.evidence = str(folder / "journal.db"), str(folder / "evidence")
        (self.entry,) = self.deployment.services.store.scan("case/", None, 2).entries
        entries = [{"timestamp": "2026-03-02T09:38:12Z", "jsonPayload": line} for line in self.deployment.lines]
        self.log = self._written(folder / "log.jsonl", entries)
        self.messages = self._written(folder / "messages.jsonl", self.deployment.published.messages)

    def _written(self, path: Path, entries: Sequence[object]) -> Path:
        path.write_text("\n".join(map(json.dumps, entries)))
        return path

    def verified(self, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
        """The command's code, and what it prints as JSON."""
        asked = ["case", "verify", self.case, "--store", self.store, "--format", "json", *options]
        code = main(asked)
        return code, json.loads(capsys.readouterr().out)["record"]["differences"]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    """One for all forgeries: each is put in the place of the record as it was."""
    with SimulatedCluster(stop_seconds=0) as running:
        yield Answered(tmp_path_factory.mktemp("answered"), small(running))


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    """One whose plan waits for a person."""
    with SimulatedCluster(stop_seconds=0) as running:
        yield Answered(tmp_path_factory.mktemp("waiting"), small(running), "approve")


def dropped(number: int) -> Forgery:
    return lambda record: record["steps"].pop(number)


def swapped(number: int) -> Forgery:
    return lambda record: record["steps"].insert(number, record["steps"].pop(number + 1))


def changed(number: int, **fields: Any) -> Forgery:
    return lambda record: record["steps"][number].update(fields)


def retargeted(number: int) -> Forgery:
    """Another UID, in the step and in its change."""

    def forge(record: Record) -> None:
        step = record["steps"][number]
        step["expected_uid"] = "5f0c0c4e-0000-4000-8000-000000000000"
        step["change"] = {**step["change"], "uid": step["expected_uid"]}

    return forge


def added(record: Record) -> None:
    record["steps"].append({**record["steps"][0], "action_id": "f" * 32})


FORGED: dict[str, Forgery] = {
    **{f"step {number + 1} dropped": dropped(number) for number in range(STEPS)},
    **{f"steps {number + 1} and {number + 2} swapped": swapped(number) for number in range(STEPS - 1)},
    **{f"step {number + 1} retargeted": retargeted(number) for number in range(STEPS)},
    **{
        f"step {number + 1} never done": changed(number, status="held", reason="finding_too_old")
        for number in range(STEPS)
    },
    "another detail": changed(4, detail="nothing was captured"),
    "an earlier moment": changed(7, settled_at="2026-03-02T09:38:12Z"),
    "another policy": changed(6, policy="contain-by-hand"),
    "a word of containment": changed(0, containment="deleted"),
    "a field that no version knows": changed(2, planted="x"),
    "a step added": added,
}
"""Each is tried as it is, and with a chain that was made anew: by whoever knows how."""


def put(answered: Answered, forge: Forgery, *, chained: bool) -> None:
    """Put the forged record in the place of the true one."""
    record = json.loads(answered.entry.value)
    forge(record)
    value = json.dumps(record).encode()
    if chained:
        made = decode(value)
        assert made.chain is not None
        before = replace(made.chain, head=made.chain.before, links=())
        value = encode(replace(made, chain=extended(before, made.finding_key, made.chained, made.seq)))
    store = answered.deployment.services.store
    stored = store.get(answered.entry.key)
    assert stored is not None
    store.replace(stored.key, value, stored.version)


def untouched(_record: Record) -> None:
    """The true record."""


def test_what_was_not_touched_is_verified(answered: Answered, capsys: pytest.CaptureFixture[str]) -> None:
    """By its chain, by the log, by the messages and by the signed manifests."""
    put(answered, untouched, chained=False)
    said = ("--log", str(answered.log), "--log", str(answered.messages), "--bundle", answered.evidence)
    for options in ((), said[:2], said[2:4], said[4:], said):
        assert answered.verified(capsys, *options)[1] == [], options
    assert answered.verified(capsys, *said[:4])[0] == 0


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_record_is_not_that_of_its_chain(
    answered: Answered, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Without anything else at hand; the step is named by its place and its action."""
    put(answered, FORGED[name], chained=False)
    code, wrong = answered.verified(capsys)
    true = [step["action"] for step in json.loads(answered.entry.value)["steps"]]
    number = int(name.split()[1]) if name.startswith("step") else 0
    assert (code, wrong[0]["reason"]) == (1, "chain_broken")
    if number:
        assert wrong[0]["step"].startswith(f"step {number} ")
        assert wrong[0]["step"].split()[2] in {*true[number - 1 : number + 1], "is"}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_chain_is_not_that_of_the_log(
    answered: Answered, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Whoever makes the chain anew makes another head: the log has the true one, and the steps as they were."""
    put(answered, FORGED[name], chained=True)
    assert answered.verified(capsys) == (0, [])
    code, wrong = answered.verified(capsys, "--log", str(answered.log))
    assert (code, [each["reason"] for each in wrong]) == (1, ["chain_gap"])
    assert wrong[0]["where"] == "after entry 1 of the log"
    if name.startswith("step"):
        assert wrong[0]["step"].startswith(f"step {name.split()[1]} ")


def planned(**fields: Any) -> Forgery:
    return lambda record: record["plan"].update(fields)


def planned_for_another(record: Record) -> None:
    for step in record["plan"]["steps"]:
        for change in step["changes"]:
            change.update(dict.fromkeys({"uid", "pod_uid"} & change.keys(), "5f0c0c4e-0000-4000-8000-000000000000"))


def planned_anew(record: Record) -> None:
    """Another plan whose digest is its own."""
    record["plan"]["steps"].pop()
    plan = decode(json.dumps(record).encode()).plan
    assert plan is not None
    record["plan"]["digest"] = plan_digest(plan.steps, plan.policy_digest, record["finding_key"], plan.asked)


PLANNED: dict[str, Forgery] = {
    "another target": planned_for_another,
    "another plan": planned_anew,
    "approved by nobody": planned(
        state="approved", approvals=[{"by": "eve@example.com", "at": "2026-03-02T09:38:12Z"}]
    ),
    "fewer people needed": planned(needed=0),
    "a longer time": planned(expires_at="2036-03-02T09:38:12Z"),
    "other policies": planned(policy_digest="p" * 64),
}


@pytest.mark.parametrize("name", PLANNED)
@pytest.mark.parametrize("chained", [False, True])
def test_a_forged_plan_is_found_as_a_step_is(
    waiting: Answered, capsys: pytest.CaptureFixture[str], name: str, *, chained: bool
) -> None:
    """By the record's own chain, or by the log where somebody made that anew."""
    put(waiting, PLANNED[name], chained=chained)
    own = [] if chained else [("chain_broken", "the plan is another")]
    assert [(each["reason"], each["step"]) for each in waiting.verified(capsys)[1]] == own
    code, wrong = waiting.verified(capsys, "--log", str(waiting.log))
    assert (code, "chain_gap" in {each["reason"] for each in wrong}) == (1, chained)
    put(waiting, untouched, chained=False)
    assert waiting.verified(capsys, "--log", str(waiting.log)) == (0, [])


ELSEWHERE = [
    pytest.param("messages", "label_pod", "step 1 retargeted", id="a-message"),
    pytest.param("messages", "delete_pod", "step 8 dropped", id="a-message-of-the-deletion"),
    pytest.param("evidence", "isolate_pod", "step 4 never done", id="a-manifest"),
]


@pytest.mark.parametrize(("place", "action", "name"), ELSEWHERE)
def test_a_forged_chain_is_not_that_of_message_or_manifest(
    answered: Answered, capsys: pytest.CaptureFixture[str], place: str, action: str, name: str
) -> None:
    """What was done by then is not as it was."""
    put(answered, FORGED[name], chained=True)
    options = ("--bundle", answered.evidence) if place == "evidence" else ("--log", str(answered.messages))
    code, wrong = answered.verified(capsys, *options)
    assert (code, [each["reason"] for each in wrong]) == (1, ["chain_broken"])
    assert wrong[0]["step"].startswith(f"{action} ")


def test_a_chain_that_was_taken_away(answered: Answered, capsys: pytest.CaptureFixture[str]) -> None:
    """The record looks like one of an earlier version: that is said, and the log has a head."""
    put(answered, lambda record: record.pop("chain"), chained=False)
    assert answered.verified(capsys)[1][0]["reason"] == "no_chain"
    reasons = [each["reason"] for each in answered.verified(capsys, "--log", str(answered.log))[1]]
    assert reasons == ["no_chain", "chain_gap"]


def test_a_delivery_does_not_wash_a_forgery(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was forged between two deliveries is found after the second, by the log and by the record itself."""
    with SimulatedCluster(stop_seconds=0) as running:
        answered = Answered(tmp_path, small(running))
        for chained, reasons in ((False, ["chain_broken"]), (True, [])):
            put(answered, changed(2, detail="x"), chained=chained)
            case = answered.deployment.services.journal
            _, claimed = case.apply(parse_notification(answered.document).key, taken)
            assert claimed is not None
            claimed.save()
            assert [each["reason"] for each in answered.verified(capsys)[1]] == reasons
            assert "chain_gap" in {each["reason"] for each in answered.verified(capsys, "--log", str(answered.log))[1]}


def taken(record: CaseRecord, _is_held: bool) -> Transition:
    """Take the case, whatever its state."""
    return Transition(reason=Reason.RESUMED, status=204, record=record, starts=True)


def test_a_log_that_says_nothing_is_refused(
    answered: Answered, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Nobody takes silence for a proof."""
    (tmp_path / "other.jsonl").write_text('{"jsonPayload": {"case": "ffffffffffff", "chain_head": "h"}}\n[]\n')
    (tmp_path / "no.jsonl").write_text("no JSON")
    for file, why in (("other.jsonl", "no entry"), ("no.jsonl", "no export"), ("gone.jsonl", "cannot be read")):
        assert main(["case", "verify", answered.case, "--store", answered.store, "--log", str(tmp_path / file)]) == 2
        assert why in capsys.readouterr().err


def test_a_person_reads_what_differs(answered: Answered, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each thing that differs, with the step."""
    put(answered, FORGED["step 7 dropped"], chained=False)
    assert main(["case", "verify", answered.case, "--store", answered.store]) == 1
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first.startswith(f"case {answered.case}: record not verified; 8 steps, chain ")
    assert second.startswith("  chain_broken  step 7 delete_pod is another  the record: the steps are not those")


def test_the_log_may_be_in_several_files(
    answered: Answered, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One of them alone tells of the case; where none does, or one is no log, the answer names the files."""
    put(answered, untouched, chained=False)
    other, wrong = tmp_path / "monday.jsonl", tmp_path / "notes.txt"
    other.write_text('{"jsonPayload": {"case": "ffffffffffff"}}\n')
    wrong.write_text("call Ann")
    assert answered.verified(capsys, "--log", str(other), "--log", str(answered.log)) == (0, [])
    asked = ["case", "verify", answered.case, "--store", answered.store, "--log", str(other)]
    assert main(asked) == 2
    assert f"--log {other}: no entry tells of the hash chain" in capsys.readouterr().err
    assert main([*asked, "--log", str(wrong)]) == 2
    assert f"--log {wrong}: it is no export of JSON lines" in capsys.readouterr().err
