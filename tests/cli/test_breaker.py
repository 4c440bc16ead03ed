"""`scc-responder breaker`: who looks, and who says that it is safe to go on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.store import usable_as
from scc_responder.guard.limiter import ORGANIZATION, cluster_key
from scc_responder.guard.limits.ledger_document import Breaker, Budget, Ledger
from tests.cli.commands import called

AT = datetime(2026, 3, 2, 9, 31, 12, tzinfo=UTC)
PROD, TEST = (f"projects/example-project/locations/europe-west1/clusters/{name}" for name in ("prod-1", "test-1"))
THIRD = PROD.replace("prod-1", "prod-2")
TRIPPED = Breaker(tripped_at=AT, detail="11 targets planned within 10m, of at most 10", paging_since=AT, told_at=AT)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The store of a function that works on two clusters; one breaker tripped."""
    path = tmp_path / "journal.db"
    store = SqliteStore(path)
    for cluster, breaker in ((PROD, TRIPPED), (TEST, None)):
        store.create(cluster_key(cluster), msgspec.json.encode(Ledger(cluster=cluster, breaker=breaker)))
    return path


def ledger(path: Path, cluster: str) -> Ledger:
    entry = SqliteStore(path).get(cluster_key(cluster))
    assert entry is not None
    return usable_as(Ledger, entry)


def test_show_lists_every_breaker(journal: Path) -> None:
    """Every cluster's breaker, with why and when it tripped; the status says that one did."""
    done = called("breaker", "show", "--store", journal)
    assert (done.returncode, done.stderr) == (1, "")
    assert f"tripped  {PROD} since 2026-03-02T09:31:12+00:00: 11 targets planned within 10m" in done.stdout
    assert f"closed   {TEST}\n" in done.stdout


def test_show_reads_one_clusters_breaker(journal: Path) -> None:
    """One cluster's breaker; closed, the status is 0."""
    done = called("breaker", "show", "--store", journal, "--cluster", TEST)
    assert (done.returncode, done.stdout) == (0, f"closed   {TEST}\n")


def test_show_prints_one_json_document(journal: Path) -> None:
    """For machines: one JSON document."""
    done = called("breaker", "show", "--store", journal, "--format", "json")
    told = {item["cluster"]: item["breaker"] for item in json.loads(done.stdout)}
    assert told[TEST] is None
    assert told[PROD]["detail"] == TRIPPED.detail


def test_reset_keeps_who_and_why(journal: Path) -> None:
    """A person resets the one that tripped, and says why; both are kept, and a second reset has nothing to do."""
    options = (
        "breaker",
        "reset",
        "--store",
        journal,
        "--reason",
        "a bad rule, withdrawn",
        "--by",
        "secops@example.com",
    )
    done = called(*options)
    assert (done.returncode, done.stdout) == (0, f"reset: {PROD}, by secops@example.com\n")
    (kept,) = ledger(journal, PROD).resets
    assert (kept.by, kept.reason, kept.detail) == ("secops@example.com", "a bad rule, withdrawn", TRIPPED.detail)
    assert called("breaker", "show", "--store", journal).returncode == 0
    again = called(*options, "--cluster", PROD)
    assert (again.returncode, again.stdout) == (1, f"the breaker of {PROD} has not tripped\n")


def test_the_store_that_the_environment_names_is_asked(journal: Path) -> None:
    """The page for a night sets it once, for this command too."""
    named = {"SCC_RESPONDER_STORE": str(journal)}
    assert f"tripped  {PROD}" in called("breaker", "show", **named).stdout
    assert called("breaker", "reset", "--reason", "withdrawn", **named).returncode == 0
    assert ledger(journal, PROD).breaker is None


def test_who_and_why_are_kept_short_and_visible(journal: Path) -> None:
    """What is typed or pasted cannot fill the ledger of limits, which every step reads, nor hide in it."""
    words = "\x1b[2J" + "why " * 100_000
    assert called("breaker", "reset", "--store", journal, "--reason", words, "--by", words).returncode == 0
    (kept,) = ledger(journal, PROD).resets
    assert max(len(kept.reason.encode()), len(kept.by.encode())) <= 500
    assert "\x1b" not in kept.reason + kept.by


WRONG = [
    pytest.param(("reset",), "--reason", id="no-reason"),
    pytest.param(("reset", "--store", "missing.db", "--reason", " "), "--reason: say why", id="empty-reason"),
    pytest.param(("show",), "--store", id="no-store-named"),
    pytest.param(("show", "--store", "missing.db"), "there is no such file", id="no-store"),
]


@pytest.mark.parametrize(("options", "complaint"), WRONG)
def test_wrong_use_names_the_remedy(tmp_path: Path, options: tuple[str, ...], complaint: str) -> None:
    """A reset without a reason, and a store that is not there, are refused with the remedy."""
    done = called("breaker", *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert list(tmp_path.iterdir()) == []


LOOKS = [
    ("breaker", "show"),
    ("breaker", "reset", "--reason", "x"),
    ("control", "show"),
    ("control", "set", "disabled", "--reason", "x"),
    ("case", "list"),
    ("case", "show", "0a0a"),
    ("case", "resume", "0a0a"),
]


@pytest.mark.parametrize("command", LOOKS, ids=" ".join)
def test_an_empty_file_is_no_store(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A file that was named by mistake is refused, and stays as it was."""
    path = tmp_path / "empty.db"
    path.touch()
    done = called(*command, "--store", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{path}: no store of scc-responder" in done.stderr
    assert ([file.name for file in tmp_path.iterdir()], path.stat().st_size) == (["empty.db"], 0)


def test_an_ambiguous_cluster_must_be_named(journal: Path) -> None:
    """Where it is not plain which one is meant, it must be named."""
    called("breaker", "reset", "--store", journal, "--reason", "x", "--cluster", PROD)
    done = called("breaker", "reset", "--store", journal, "--reason", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "tripped: none; name the one to reset with --cluster" in done.stderr


def test_hostile_text_does_not_reach_the_terminal(journal: Path) -> None:
    """What is printed cannot act on the terminal."""
    store = SqliteStore(journal)
    hostile = Ledger(cluster="\x1b[2Jprod", breaker=msgspec.structs.replace(TRIPPED, detail="\x1b]0;x\x07"))
    store.create(cluster_key("other"), msgspec.json.encode(hostile))
    assert "\x1b" not in called("breaker", "show", "--store", journal).stdout


def test_a_projects_breaker_is_for_cloud_run(journal: Path) -> None:
    """What runs on Cloud Run is counted by project."""
    place = "projects/example-project"
    SqliteStore(journal).create(cluster_key(place), msgspec.json.encode(Ledger(cluster=place, breaker=TRIPPED)))
    done = called("breaker", "show", "--store", journal, "--project", "example-project")
    assert (done.returncode, done.stdout[:33]) == (1, f"tripped  {place}")
    done = called("breaker", "reset", "--reason", "a drill", "--store", journal, "--project", "example-project")
    assert (done.returncode, ledger(journal, place).breaker) == (0, None)
    assert ledger(journal, PROD).breaker == TRIPPED


def test_one_scope_is_reset_by_its_name(journal: Path) -> None:
    """Each breaker of a cluster is listed with what it holds; a reset of one leaves the others."""
    both = tuple(replace(TRIPPED, scope=scope, budget=Budget.ISOLATION) for scope in ("namespace=shop", "owner=u-1"))
    store = SqliteStore(journal)
    store.create(cluster_key(THIRD), msgspec.json.encode(Ledger(cluster=THIRD, breaker=both[0], further=both[1:])))
    done = called("breaker", "show", "--store", journal, "--cluster", THIRD)
    assert done.stdout.startswith(
        f"tripped  {THIRD}, namespace=shop, isolation only since 2026-03-02T09:31:12+00:00: 11"
    )
    assert f"tripped  {THIRD}, owner=u-1, isolation only since" in done.stdout
    options = ("breaker", "reset", "--store", journal, "--cluster", THIRD, "--reason", "withdrawn", "--scope")
    assert [called(*options, "namespace=shop").returncode for _ in range(2)] == [0, 1]
    left = ledger(journal, THIRD)
    assert [breaker.scope for breaker in left.breakers] == ["owner=u-1"]
    assert [item.scope for item in left.resets] == ["namespace=shop"]


@pytest.mark.parametrize("damaged", [b"{", b'{"cluster": 3}', b'{"x":' + b"[" * 50_000], ids=["cut", "other", "nested"])
def test_a_ledger_that_makes_no_sense_is_named_and_made_anew(journal: Path, damaged: bytes) -> None:
    """It holds all in its cluster and hides no other breaker; whoever resets it by name lets the responder go on."""
    store = SqliteStore(journal)
    entry = store.get(cluster_key(TEST))
    assert entry is not None
    store.replace(entry.key, damaged, entry.version)
    done = called("breaker", "show", "--store", journal)
    assert (done.returncode, f"tripped  {PROD}" in done.stdout) == (1, True)
    assert f"unusable {cluster_key(TEST)}: it makes no sense" in done.stdout
    listed = json.loads(called("breaker", "show", "--store", journal, "--format", "json").stdout)
    assert listed[-1] == {"key": cluster_key(TEST), "reason": "ledger_unusable"}
    named = ("--store", journal, "--cluster", TEST, "--reason", "it was damaged", "--by", "ann")
    assert called("breaker", "reset", *named).returncode == 0
    (kept,) = ledger(journal, TEST).resets
    assert (kept.by, kept.reason, kept.detail) == (
        "ann",
        "it was damaged",
        "the stored ledger of limits makes no sense",
    )
    assert ledger(journal, PROD).breaker == TRIPPED


def test_the_organisations_ledger_is_made_anew_as_a_clusters(journal: Path) -> None:
    """It holds disruptions everywhere while it makes no sense: it is named with its command, and no other changes."""
    store = SqliteStore(journal)
    store.create(ORGANIZATION, b"{")
    named = ("--store", journal, "--organization")
    for asked in (("--store", journal), named):
        done = called("breaker", "show", *asked)
        assert done.returncode == 1
        assert f"unusable {ORGANIZATION}: it makes no sense" in done.stdout
        assert "`breaker reset --organization` makes it anew" in done.stdout
    done = called("breaker", "reset", *named, "--reason", "it was damaged", "--by", "ann")
    assert (done.returncode, done.stdout) == (0, "reset: organization, by ann\n")
    entry = store.get(ORGANIZATION)
    assert entry is not None
    made = usable_as(Ledger, entry)
    assert (made.cluster, made.breaker, [item.by for item in made.resets]) == ("", None, ["ann"])
    assert ledger(journal, PROD).breaker == TRIPPED
    assert called("breaker", "show", *named).stdout == "closed   organization\n"
    again = called("breaker", "reset", *named, "--reason", "x")
    assert (again.returncode, again.stdout) == (1, "the breaker of organization has not tripped\n")


def test_a_sound_ledger_of_the_organisation_is_not_listed(journal: Path) -> None:
    """It has no breaker: there is something to say of it only where it is asked for, and it excludes a cluster."""
    SqliteStore(journal).create(ORGANIZATION, msgspec.json.encode(Ledger()))
    assert "organization" not in called("breaker", "show", "--store", journal).stdout
    both = called("breaker", "show", "--store", journal, "--organization", "--cluster", PROD)
    assert (both.returncode, "not allowed with argument" in both.stderr) == (2, True)
