"""Whatever a record of the store is: each command and sweep names it, goes on with the others, and never breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scc_responder.cli.main import main
from scc_responder.domain.clock import utc_now
from scc_responder.domain.store import Entry
from scc_responder.pipeline.looks.look_sweep import look_sweep
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.notifications import STORY_CLUSTER
from scc_responder.workbench.simulated_cluster.story.story_folder import write_access
from tests.kits.answers import HERE
from tests.kits.compromised_pod import small
from tests.kits.responder import ALL, CLUSTER, SOURCE, deployed, finding_about, policy

COMMANDS = [
    ("list",),
    ("show", "CASE"),
    ("resume", "CASE"),
    ("resume", "CASE", "--apply"),
    ("do", "CASE", "delete_pod", "--reason", "x"),
    ("undo", "CASE"),
    ("mark", "CASE", "wrong"),
    ("verify", "CASE"),
    ("exempt", "CASE", "--for", "1h", "--reason", "x"),
    ("resume", "--policy", "contain", "--since", "2h"),
    ("undo", "--expired"),
]
ODD = [None, 7, -1, "", "x", [], {}, [7], {"a": 1}, True, "\x1b[2J", [[]], 1e9, "f" * 64]


class Stored:
    """A deployment's store with two cases, of which the second's deletion is held; each test damages the second."""

    def __init__(self, folder: Path, cluster: SimulatedCluster, *, same_pod: bool = False) -> None:
        steps = policy("label_pod", "isolate_pod") if same_pod else policy(*ALL)
        self.deployment = deployed(folder, cluster, steps + "limits:\n  - {most: 1, within: 1h}\n")
        pods = cluster.objects("Pod", "shop")[:1] * 2 if same_pod else cluster.objects("Pod", "shop")[:2]
        documents = [finding_about(pod, finding_id=f"{number:032x}") for number, pod in enumerate(pods)]
        for number, document in enumerate(documents):
            self.deployment.list_finding(document, str(number))
            self.deployment.deliver(document)
        self.good, self.bad = (self.entry(self.deployment.case(document).finding_key) for document in documents)
        clusters = folder / "clusters.yaml"
        write_access(cluster, "undo", clusters)
        clusters.write_text(clusters.read_text().replace(STORY_CLUSTER, CLUSTER))
        self.settings = {
            "SCC_RESPONDER_CLUSTERS": CLUSTER,
            "SCC_RESPONDER_SOURCES": SOURCE,
            "SCC_RESPONDER_STORE": f"sqlite:///{folder / 'journal.db'}",
            "SCC_RESPONDER_CLUSTERS_FILE": str(clusters),
        }

    def entry(self, key: str) -> Entry:
        entry = self.deployment.services.store.get(key if "/" in key else f"case/{key}")
        assert entry is not None
        return entry

    def put(self, value: bytes, *, good: bytes = b"") -> None:
        """Damage the second case; the first is as it was, unless another value is given."""
        for key, content in ((self.good.key, good or self.good.value), (self.bad.key, value)):
            now = self.entry(key)
            self.deployment.services.store.replace(key, content, now.version, unfinished=True, due_at=utc_now())


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """One for all damages."""
    with SimulatedCluster(stop_seconds=0) as running, pytest.MonkeyPatch.context() as patched:
        folder = tmp_path_factory.mktemp("stored")
        made = Stored(folder, small(running))
        patched.chdir(folder)
        for name, value in made.settings.items():
            patched.setenv(name, value)
        yield made


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every part of a document is."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*place, key)
        yield from places(item, (*place, key))


def damaged(value: bytes, hits: list[tuple[int, Any]]) -> bytes:
    """The document with these parts replaced by others, or taken away."""
    document = json.loads(value)
    for number, other in hits:
        found = [*places(document)]
        *above, last = found[number % len(found)]
        part: Any = document
        for key in above:
            part = part[key]
        if other == "taken away":
            del part[last]
        else:
            part[last] = other
    return json.dumps(document).encode()


HITS = st.lists(st.tuples(st.integers(0, 5000), st.sampled_from([*ODD, "taken away"])), min_size=1, max_size=3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hits=HITS)
def test_no_damage_breaks_a_command_or_a_sweep(
    stored: Stored, capsys: pytest.CaptureFixture[str], hits: list[tuple[int, Any]]
) -> None:
    """Each ends in a code of its own, and names a record that cannot be read; the case beside it is there."""
    value = damaged(stored.bad.value, hits)
    case = stored.bad.key[5:17]
    for words in COMMANDS:
        stored.put(value)
        code = main(["case", *(case if word == "CASE" else word for word in words)])
        told = capsys.readouterr()
        assert code in {0, 1, 2}, (words, told)
        if "cannot be read" in told.err:
            assert f"case {case} cannot be read: record_" in told.err
            assert ("respond by hand" in told.err) or ("deploy the later version" in told.err)
        if words == ("list",):
            assert stored.good.key[5:17] in told.out
    for look in (sweep, look_sweep):
        stored.put(value)
        assert look(HERE, "127.0.0.1", stored.deployment.services).status == 204, stored.deployment.line


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "record_unreadable"),
    "no UTF-8": (b'{"schema": 1, "note": "\xff"}', "record_unreadable"),
    "of a later schema": (b'{"schema": 9}', "record_newer"),
    "nested without end": (b"[" * 50_000, "record_unreadable"),
    "of no form": (b"[]", "record_unreadable"),
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("words", [words for words in COMMANDS if "CASE" in words])
def test_a_record_that_cannot_be_read_is_named_with_its_remedy(
    stored: Stored, capsys: pytest.CaptureFixture[str], name: str, words: tuple[str, ...]
) -> None:
    """By whichever command it is asked for; 1, and nothing is written."""
    value, reason = UNREADABLE[name]
    stored.put(value)
    case = stored.bad.key[5:17]
    assert main(["case", *(case if word == "CASE" else word for word in words)]) == 1
    told = capsys.readouterr().err
    assert f"scc-responder: case {case} cannot be read: {reason}: " in told
    assert ("deploy the later version" in told) == (reason == "record_newer")
    assert stored.entry(stored.bad.key).value == value


@pytest.mark.parametrize("words", [("resume", "--policy", "contain", "--since", "2h"), ("undo", "--expired")])
def test_what_is_asked_of_several_cases_names_those_that_cannot_be_read(
    stored: Stored, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """The others are gone on with; 1."""
    stored.put(b"{")
    assert main(["case", *words]) == 1
    assert f"case {stored.bad.key[5:17]} cannot be read: record_unreadable" in capsys.readouterr().err


def test_a_record_that_names_another_case_is_not_acted_upon(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    """What was asked of one case would be done to another."""
    stored.put(stored.good.value)
    case, other = stored.bad.key[5:17], stored.good.key[5:17]
    for words in (("resume", case, "--apply"), ("mark", case, "wrong"), ("undo", case)):
        assert main(["case", *words]) == 1
        assert f"it is that of case {other}" in capsys.readouterr().err
    assert stored.entry(stored.good.key).value == stored.good.value
    stored.deployment.set_clock(lambda: utc_now() + timedelta(hours=1))
    sweep(HERE, "127.0.0.1", stored.deployment.services)
    assert stored.deployment.line["swept"]["record_unreadable"] >= 1
    assert look_sweep(HERE, "127.0.0.1", stored.deployment.services).status == 204
    assert stored.deployment.line["looked"]["record_unreadable"] == 1


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_undo_names_the_damaged_case_beside_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of two cases of one pod the whole one is taken back; the other is named, with its remedy, and still isolates."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        stored = Stored(tmp_path, small(cluster), same_pod=True)
        for setting, text in stored.settings.items():
            monkeypatch.setenv(setting, text)
        own, other = stored.good.key[5:17], stored.bad.key[5:17]
        value, reason = UNREADABLE[name]
        stored.put(value)
        policies = {item["metadata"]["name"][14:26] for item in cluster.objects("NetworkPolicy")}
        assert policies == {own, other}
        for words in (("undo", own), ("undo", own, "--apply")):
            capsys.readouterr()
            assert main(["case", *words]) == 1
            told = capsys.readouterr()
            assert f"scc-responder: case {other} cannot be read: {reason}: " in told.err
            assert f"case {own} cannot be read" not in told.err
            assert ("deploy the later version" in told.err) == (reason == "record_newer")
        assert "undone" in told.out
        assert {item["metadata"]["name"][14:26] for item in cluster.objects("NetworkPolicy")} == {other}


def test_a_part_that_no_version_writes_stops_nothing_else(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    """A look counts it, and looks at the others; a command says where it was met."""
    document = json.loads(stored.good.value)
    document["decision"]["pod"]["namespace"] = ["shop"]
    stored.put(stored.bad.value, good=json.dumps(document).encode())
    assert look_sweep(HERE, "127.0.0.1", stored.deployment.services).status == 204
    assert stored.deployment.line["looked"]["record_unreadable"] == 1
    assert sum(stored.deployment.line["looked"].values()) == 2

    document = json.loads(stored.bad.value)
    for step in document["steps"]:
        step["change"]["annotations"] = 7
    stored.put(json.dumps(document).encode())
    assert main(["case", "undo", "--expired"]) == 0
    document["decision"]["cloud_run"] = {"kind": "service"}
    stored.put(json.dumps(document).encode())
    capsys.readouterr()
    case = stored.bad.key[5:17]
    assert main(["case", "show", case]) == 1
    told = capsys.readouterr().err
    assert f"case {case} cannot be read: record_unreadable: the record has a part that no version writes: " in told
    assert ".py:" in told


def test_an_odd_part_hides_no_other_case(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    """`case list` shows all others, and names the one: 1."""
    document = json.loads(stored.bad.value)
    document["decision"]["cloud_run"] = {"kind": "service"}
    stored.put(json.dumps(document).encode())
    assert main(["case", "list"]) == 1
    told = capsys.readouterr()
    assert stored.good.key[5:17] in told.out
    assert f"case {stored.bad.key[5:17]} cannot be read: record_unreadable: the record has a part" in told.err


def test_a_command_names_the_case_whose_part_it_cannot_go_by(
    stored: Stored, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `case report` makes of a record is more than what is looked at before: the error is named there, too."""
    document = json.loads(stored.bad.value)
    document["decision"]["threat"]["techniques"] = 7
    stored.put(json.dumps(document).encode())
    assert main(["case", "report", stored.bad.key[5:17]]) == 1
    told = capsys.readouterr().err
    assert f"case {stored.bad.key[5:17]} cannot be read: record_unreadable: the record has a part" in told
    assert "TypeError" in told
