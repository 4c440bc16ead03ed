"""`scc-responder control` and `case resume`: who turns the switch, what they are told, and what goes on."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli.main import main
from scc_responder.guard.kill_switch import key_of
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cli.commands import called
from tests.cluster import objects
from tests.kits.google.firestore import FirestoreEmulator, Opened
from tests.kits.responder import NODE, deployed, finding_about, mutations, policy
from tests.pipeline.test_sweep import swept

PROD = "projects/example-project/locations/europe-west1/clusters/prod-1"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def turned(store: Path, mode: str, *more: str) -> subprocess.CompletedProcess[str]:
    given = ("--reason", "INC-1: look", "--by", "secops@example.com", "--store", store)
    return called("control", "set", mode, *given, "--create", *more)


def shown(store: Path, *more: str) -> dict[str, Any]:
    done = called("control", "show", "--store", store, "--format", "json", *more)
    return {"code": done.returncode, **json.loads(done.stdout)}


def test_set_and_show(store: Path) -> None:
    """What was set is told with who, when and why, and so is what was set before."""
    first, second = turned(store, "enforce"), turned(store, "dry_run")
    third = turned(store, "disabled", "--cluster", PROD)
    done = called("control", "show", "--store", store)

    assert (first.returncode, second.returncode, third.returncode, done.returncode) == (0, 0, 0, 0)
    assert first.stdout.startswith("enforce    everywhere since 20")
    assert "case resume" in third.stderr
    assert first.stdout.splitlines()[1] == f"store      {store}"
    place, now, one, everywhere, before = done.stdout.splitlines()
    assert (place, now) == (f"store      {store}", "now        dry_run")
    assert one.startswith(f"disabled   {PROD} since")
    assert everywhere.startswith("dry_run    everywhere since")
    assert everywhere.endswith("by secops@example.com: INC-1: look")
    assert before.strip().startswith("before: enforce since")


def test_a_turn_for_everywhere_says_where_it_stays_lower(store: Path) -> None:
    """Who ends an incident must not think that all goes on: the switch of one cluster is ended by itself."""
    turned(store, "dry_run", "--cluster", PROD)
    told = turned(store, "enforce").stdout.splitlines()
    assert told[2] == "still lower there, until it is set with --cluster or --project:"
    assert told[3].startswith(f"dry_run    {PROD} since")
    assert len(turned(store, "disabled").stdout.splitlines()) == 2
    turned(store, "enforce", "--cluster", PROD)
    assert len(turned(store, "enforce").stdout.splitlines()) == 2


def test_show_combines_both_documents_for_a_cluster(store: Path) -> None:
    """For one cluster: what holds there, by its own document and the one for everywhere."""
    turned(store, "enforce")
    turned(store, "disabled", "--cluster", PROD)
    turned(store, "dry_run", "--cluster", PROD.replace("prod-1", "prod-2"))
    assert shown(store)["mode"] == "enforce"
    found = shown(store, "--cluster", PROD)
    assert (found["mode"], len(found["documents"])) == ("disabled", 2)


def test_json_prints_one_document_alone(store: Path) -> None:
    """One document on stdout, and nothing else."""
    done = turned(store, "enforce", "--format", "json")
    told = json.loads(done.stdout)
    assert (told["key"], told["control"]["mode"], told["control"]["by"]) == (
        "control/global",
        "enforce",
        "secops@example.com",
    )
    assert done.stderr == ""
    assert told.pop("store") == shown(store)["store"] == str(store)
    assert shown(store)["documents"] == [told]


def test_an_empty_store_has_nothing_set(store: Path) -> None:
    """A store without a document says that nothing is changed."""
    SqliteStore(store).close()
    done = called("control", "show", "--store", store)
    assert (
        done.stdout == f"store      {store}\nnow        dry_run (no document says otherwise, so nothing is changed)\n"
    )
    assert (done.returncode, shown(store)["reason"]) == (0, "control_missing")


def test_set_repairs_a_nonsense_document(store: Path) -> None:
    """A document that makes no sense is a problem, and `set` fixes it."""
    opened = SqliteStore(store)
    opened.create(key_of(""), b'{"mode": "on"}')
    opened.close()
    done = called("control", "show", "--store", store)
    assert done.returncode == 1
    assert "control/global: the document makes no sense; set it anew" in done.stdout
    turned(store, "enforce")
    assert shown(store)["mode"] == "enforce"


WRONG = [
    pytest.param(("set", "enforce"), "--reason", id="no-reason"),
    pytest.param(("set", "enforce", "--reason", " "), "say why", id="an-empty-reason"),
    pytest.param(("set", "off", "--reason", "x"), "choose from", id="no-such-mode"),
    pytest.param(("set", "enforce", "--reason", "x", "--cluster", "prod-1"), "projects/P/", id="no-path"),
    pytest.param(("set", "enforce", "--reason", "x", "--cluster", PROD[:-1] + "*"), "projects/P/", id="a-pattern"),
    pytest.param(("set", "disabled", "--reason", "x"), "there is no such file", id="nothing-to-stop"),
    pytest.param(("show",), "there is no such file", id="no-store"),
]


@pytest.mark.parametrize(("options", "complaint"), WRONG)
def test_wrong_use_changes_nothing(
    tmp_path: Path, options: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused with the remedy, and nothing is made."""
    given = ["control", *options, "--store", str(tmp_path / "none.db")]
    try:
        code = main(given)
    except SystemExit as ended:
        code = int(ended.code or 0)
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert complaint in told.err
    assert list(tmp_path.iterdir()) == []


def test_the_store_must_be_named(tmp_path: Path) -> None:
    """To stop everything in whatever store is at hand would stop nothing: it is named, or the environment names it."""
    path = tmp_path / "scc-responder.db"
    SqliteStore(path).close()
    command = ("control", "set", "disabled", "--reason", "x")
    unnamed = called(*command, cwd=tmp_path)
    assert (unnamed.returncode, unnamed.stdout) == (2, "")
    assert "the following arguments are required: --store" in unnamed.stderr
    for given in ("scc-responder.db", f"sqlite:///{path}"):
        named = called(*command, cwd=tmp_path, SCC_RESPONDER_STORE=given)
        assert (named.returncode, named.stdout.splitlines()[1]) == (0, f"store      {path}")
    looked = called("control", "show", cwd=tmp_path)
    assert looked.stdout.startswith(f"store      {path}\nnow        disabled\n")


def test_hostile_text_cannot_act_on_the_terminal(store: Path) -> None:
    """What is kept and printed cannot act on a terminal."""
    called("control", "set", "dry_run", "--reason", "\x1b[2Jx", "--by", "\x1b]0;x\x07", "--store", store, "--create")
    done = called("control", "show", "--store", store)
    assert "\x1b" not in done.stdout + json.dumps(shown(store))
    assert "\\u001b[2Jx" in done.stdout


def test_control_works_the_same_in_firestore(firestore: FirestoreEmulator) -> None:
    """The same in Firestore, as the identity of whoever asks."""
    opened = Opened(firestore.host, firestore.address())
    given = {"FIRESTORE_EMULATOR_HOST": firestore.host}
    done = called("control", "set", "enforce", "--reason", "x", "--store", opened.address, **given)
    told = called("control", "show", "--store", opened.address, "--format", "json", **given)
    slip = "if this is not the function's store, its switch stops nothing"
    assert (done.returncode, json.loads(told.stdout)["mode"], slip in done.stderr.lower()) == (0, "enforce", True)
    first = called("control", "set", "enforce", "--create", "--reason", "x", "--store", opened.address, **given)
    opened().create("case/a", b"{}")
    again = called("control", "set", "disabled", "--reason", "x", "--store", opened.address, **given)
    opened.close()
    assert (first.stderr, "switch stops" in again.stderr) == ("", False)


def test_a_case_held_by_the_switch_resumes(tmp_path: Path) -> None:
    """A case that the switch held is opened again; another is not, and says why."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node(NODE))
        cluster.create(objects.deployment("web", "shop", NODE, replicas=2))
        deployment = deployed(tmp_path, cluster, policy("label_pod"))
        journal = tmp_path / "journal.db"
        deployment.turn("disabled")
        document = finding_about(cluster.objects("Pod", "shop")[0])
        deployment.respond_to(document)
        case = deployment.case(document).finding_key[:12]
        turned(journal, "enforce")

        done = called("case", "resume", case, "--apply", "--store", journal)
        again = called("case", "resume", case, "--apply", "--store", journal, "--format", "json")
        unknown = called("case", "resume", "0" * 12, "--store", journal)
        met = swept(deployment)

        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"scc-responder: case {case}: open again; a sweep resumes it\n"
        assert (again.returncode, json.loads(again.stdout)["reason"]) == (1, "still_open")
        assert (unknown.returncode, "no_such_case" in unknown.stderr) == (1, True)
        assert (met, mutations(cluster.audit)) == ({"resumed": 1}, ["patch pods"])


def test_a_project_has_a_switch_for_all_that_is_in_it(store: Path) -> None:
    """It holds in the project's clusters too; the lower of both counts there."""
    turned(store, "enforce")
    done = turned(store, "dry_run", "--project", "example-project")
    assert done.stdout.startswith("dry_run    projects/example-project since 20")
    turned(store, "approve", "--cluster", PROD)
    project, prod = shown(store, "--project", "example-project"), shown(store, "--cluster", PROD)
    assert (project["mode"], prod["mode"], shown(store)["mode"]) == ("dry_run", "dry_run", "enforce")
    assert [len(found["documents"]) for found in (project, prod)] == [2, 3]
    assert shown(store, "--project", "other-project")["mode"] == "enforce"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--project", "projects/p"], "--project projects/p: give a project's id"),
        (["--project", "100000000001"], "give a project's id, as findings name it"),
        (["--project", "p", "--cluster", PROD], "not allowed with argument"),
    ],
)
def test_a_project_is_named_by_its_id(store: Path, given: list[str], told: str) -> None:
    """By its number it would hold for no finding."""
    done = turned(store, "disabled", *given)
    assert done.returncode == 2
    assert told in done.stderr
    assert not store.exists()


def test_one_policy_is_lowered_for_a_while(store: Path) -> None:
    """It is told with its end, shown beside the switch, ended by a person, and then shown as expired."""
    turned(store, "enforce")
    done = turned(store, "dry_run", "--policy", "isolate-crypto-mining", "--for", "2h")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("dry_run    policy isolate-crypto-mining until 20")
    document = shown(store)["documents"][0]["control"]
    assert (document["mode"], [item["name"] for item in document["timed"]]) == ("enforce", ["isolate-crypto-mining"])

    ended = called("control", "clear", "--policy", "isolate-crypto-mining", "--reason", "over", "--store", store)
    again = called("control", "clear", "--policy", "isolate-crypto-mining", "--reason", "over", "--store", store)
    assert (ended.returncode, again.returncode) == (0, 1)
    assert ended.stdout.startswith("expired    policy isolate-crypto-mining until 20")
    assert "expired    policy isolate-crypto-mining" in called("control", "show", "--store", store).stdout


REFUSED_FOR_A_WHILE = {
    "no time": ("dry_run", "--policy", "p"),
    "a time for everywhere": ("dry_run", "--for", "2h"),
    "nothing at all": ("disabled", "--policy", "p", "--for", "2h"),
    "everything": ("enforce", "--policy", "p", "--for", "2h"),
    "no such form": ("dry_run", "--namespace", "prod-1/shop", "--for", "2h"),
}


@pytest.mark.parametrize("given", REFUSED_FOR_A_WHILE.values(), ids=REFUSED_FOR_A_WHILE)
def test_a_ceiling_for_a_while_only_lowers(store: Path, given: tuple[str, ...]) -> None:
    """Without an end, without a name, or as another mode than those two, nothing is set."""
    turned(store, "enforce")
    done = turned(store, *given)
    assert done.returncode == 2
    assert shown(store)["documents"][0]["control"]["timed"] == []


def test_a_policy_that_nobody_knows_is_warned_of(store: Path) -> None:
    """A slip of the pen must not look as if it stopped something."""
    turned(store, "enforce")
    done = turned(store, "dry_run", "--policy", "isolate-cripto-mining", "--for", "2h")
    assert (done.returncode, "no policy isolate-cripto-mining" in done.stderr) == (0, True)


def test_a_ceiling_needs_a_switch_first(store: Path) -> None:
    """Where nobody turned it on, all is rehearsed: a ceiling must not turn it on."""
    done = turned(store, "dry_run", "--policy", "isolate-crypto-mining", "--for", "2h")
    assert (done.returncode, "First say how far" in done.stderr) == (2, True)
    assert shown(store)["documents"] == []


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_desk_with_a_wrong_clock_is_told_what_stands(
    store: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """The store's clock says what stands and what is over: neither that it is set, nor that it ended, may be untrue."""
    turned(store, "enforce")
    monkeypatch.setattr("scc_responder.cli.control.utc_now", lambda: datetime.now(UTC) + timedelta(hours=hours))
    what = ("--policy", "isolate-miner")
    assert turned(store, "dry_run", *what, "--for", "2h").stdout.startswith("dry_run    policy isolate-miner until")
    assert "\ndry_run    policy isolate-miner until" in called("control", "show", "--store", store).stdout
    ended = called("control", "clear", *what, "--reason", "over", "--store", store)
    assert (ended.returncode, ended.stdout[:10]) == (0, "expired   ")
    assert "\nexpired    policy isolate-miner until" in called("control", "show", "--store", store).stdout
