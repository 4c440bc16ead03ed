"""Thousands of findings published within a minute: the served function loses none, and people's counts add up.

Google's emulator pushes, the deployment zip runs in functions-framework, the API server is real, and the routes end at
a mail server over TLS and at a webhook. The journal is SQLite: Firestore's emulator reads all documents for each query.
"""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
import pytest
from msgspec.structs import replace

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.store import CasStore, write_over
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.outbox.digest import DigestState
from tests.cluster import objects
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until
from tests.counts import SOAK, Count
from tests.e2e.served import ServedFunction, free_port, unzip
from tests.e2e.test_end_to_end import gke_cluster
from tests.findings import data
from tests.kits.google.emulator import Emulator
from tests.kits.google.grpc_servers import ClusterManagerServer, Item, SecurityCenterServer, item
from tests.kits.google.issuer import Issuer
from tests.kits.mail_server import MailBox, mail_server
from tests.kits.notices import mount
from tests.kits.responder import CLUSTER, RAILS, SOURCE, compiled, finding_about, policy, turn, write_policies
from tests.kits.web_service import web_service

STORM = Count("findings that are published within a minute and told by a served function", 200, 10_000)
CLUSTERS = 40
"""Over which the findings are spread: what a finding is related to is read of its own cluster."""
PATIENCE = 2700.0 if SOAK else 240.0
BURST = 20
ROUTES = f"""\
routes:
  ops: {{receiver: signed_webhook, address: ops-hook, burst: {BURST}}}
  people: {{receiver: email, address: people-mail, burst: {BURST}}}
fallback: [ops, people]
"""
SWEEPER, AUDIENCE = "sweeper@example.com", "https://responder.example.com"
GOLDENS = ("reverse_shell", "added_binary_executed")
"""Each is named as its threat."""
_NAMED = re.compile(r"(?:name=\"|/clusters/)([^\"]+)")


class StormCenter(SecurityCenterServer):
    """Thousands of findings, held by their names and by their clusters."""

    def __init__(self, documents: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        self._held: dict[str, list[Item]] = {}
        for document in documents:
            one = item(document)
            for key in {one.finding.name, one.finding.canonical_name, _cluster_in(one.finding.resource_name)}:
                self._held.setdefault(key, []).append(one)

    def among(self, filter: str) -> Sequence[Item]:  # noqa: A002 - the API's word
        (key, *_) = _NAMED.findall(filter)
        return self._held.get(key, ())


def _cluster_in(resource: str) -> str:
    return resource.partition("/clusters/")[2].partition("/")[0]


class Told(NamedTuple):
    """What one route told: findings one by one, by case and threat, and the facts of its digests."""

    alone: list[tuple[str, str]]
    digests: list[dict[str, Any]]

    @property
    def by_threat(self) -> Counter[str]:
        """How many findings of each threat it told of."""
        counted = Counter(threat for _, threat in self.alone)
        for facts in self.digests:
            counted.update(facts["by_threat"])
        return counted


class StormScene:
    """A pod, thousands of findings about it in as many clusters as the API server is given names, and the function."""

    def __init__(self, plane: ControlPlane, namespace: str, node: str, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        plane.admin.create(objects.deployment("web", namespace, node, replicas=1))
        pod = objects.running_pods(plane.admin, namespace, "web", count=1)[0]
        self.documents = [self._finding(pod, number) for number in range(STORM.number)]
        self.center = stack.enter_context(StormCenter(self.documents))
        served = dict.fromkeys((_cluster(number) for number in range(CLUSTERS)), gke_cluster(plane))
        self.clusters = stack.enter_context(ClusterManagerServer(served))
        self.issuer = stack.enter_context(Issuer())
        self.box = stack.enter_context(mail_server(folder / "certificates"))
        self.hook = stack.enter_context(web_service())
        (folder / "token").write_text(plane.token("responder"))
        secrets = mount(folder / "secrets", {"ops": f"{self.hook.url}/ops"})
        (secrets / "people-mail").mkdir()
        (secrets / "people-mail" / "address").write_text(self.box.address("oncall@example.com"))

    def serve(self, emulator: Emulator, stack: ExitStack) -> None:
        """Let the emulator push to the function from now on."""
        journal = self.folder / "journal.db"
        turn(journal)
        self.store: CasStore = SqliteStore(journal)
        when = f"threat: [{', '.join(GOLDENS)}]"
        policies = write_policies(self.folder / "policies", policy("notify", when=when), guardrails=RAILS)
        (policies / "routes.yaml").write_text(ROUTES)
        port = free_port()
        self.topology = emulator.deploy(f"http://127.0.0.1:{port}/", attempts=100, ack_deadline_seconds=60)
        served = {
            "CLUSTERS": "projects/example-project/locations/*/clusters/*",
            "SOURCES": SOURCE,
            "STORE": f"sqlite:///{journal}",
            "EVIDENCE": f"file://{self.folder / 'evidence'}",
            "POLICIES": str(compiled(policies)),
            "SCC_ENDPOINT": self.center.endpoint,
            "GKE_ENDPOINT": self.clusters.endpoint,
            "KUBERNETES_TOKEN_FILE": str(self.folder / "token"),
            "NOTICE_SECRETS": str(self.folder / "secrets"),
            "APPROVAL_AUDIENCE": AUDIENCE,
            "APPROVAL_CERTS": self.issuer.certs,
            "SWEEPER": SWEEPER,
        }
        environment = {f"SCC_RESPONDER_{name}": text for name, text in served.items()}
        environment |= {
            "PUBSUB_EMULATOR_HOST": emulator.host,
            "SSL_CERT_FILE": str(self.folder / "certificates" / "ca.pem"),
        }
        function = unzip(self.folder)
        self.function = ServedFunction(function, environment, log=self.folder / "function.log", port=port)
        stack.enter_context(self.function)

    def settled(self) -> int:
        """How many findings the function's log calls done."""
        return len(set(re.findall(rb'"reason": ?"done".{0,200}?"case": ?"(\w+)"', self.function.log.read_bytes())))

    def sweep(self) -> None:
        """A sweep, asked for until there is one, as Cloud Scheduler asks each minute: all threads have much to do."""
        wait_until(self._swept, what="a sweep", seconds=300)

    def _swept(self) -> bool:
        token = self.issuer.token(SWEEPER, aud=AUDIENCE)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        try:
            with urlopen(Request(f"{self.function.url}sweep", b"{}", headers, method="POST"), timeout=120) as answer:
                return bool(answer.status == 204)
        except HTTPError as error:
            with error:
                return False

    def let_digests_be_due(self) -> None:
        """As if the last digest of each route were an hour ago."""
        for route in ("ops", "people"):
            entry = self.store.get(f"gathered/{route}/.digest")
            if entry:
                state = msgspec.json.decode(entry.value, type=DigestState)
                earlier = replace(state, told_at=state.told_at and state.told_at - timedelta(hours=1))
                write_over(self.store, entry.key, msgspec.json.encode(earlier), entry)

    def entries(self, prefix: str) -> Iterator[bytes]:
        """All values of the journal under keys that begin so."""
        cursor = None
        while True:
            page = self.store.scan(prefix, cursor, 1000)
            yield from (entry.value for entry in page.entries)
            cursor = page.cursor
            if cursor is None:
                return

    def waiting(self) -> int:
        """How many notices wait in the outbox, or for a digest."""
        gathered = sum(b'"told_at"' not in value for value in self.entries("gathered/"))
        return gathered + sum(1 for _ in self.entries("outbox/"))

    def told(self) -> dict[str, Told]:
        """What each route told."""
        hooked = [posted.json["data"] for posted in self.hook.posted]
        return {"ops": told_by_hook(hooked), "people": told_by_mail(self.box)}

    def _finding(self, pod: Mapping[str, Any], number: int) -> dict[str, Any]:
        return finding_about(pod, _golden(number), finding_id=f"{number:032x}", cluster=_cluster(number))


def _golden(number: int) -> str:
    return GOLDENS[number % len(GOLDENS)]


def _cluster(number: int) -> str:
    return CLUSTER.replace("prod-1", f"storm-{number % CLUSTERS}")


def told_by_hook(posted: Sequence[Mapping[str, Any]]) -> Told:
    """What a webhook was told."""
    alone = [(data["card"]["case"], data["card"]["threat"]) for data in posted if data["kind"] == "outcome"]
    return Told(alone, [data["facts"] for data in posted if data["kind"] == "digest"])


def told_by_mail(box: MailBox) -> Told:
    """What mails told, in the words that people read."""
    alone, digests = [], []
    for mail in box.mails:
        body = mail.get_body(("plain",))
        assert body is not None
        text = body.get_content()
        if counted := re.search(r"^count: (\d+)\r?$", text, re.MULTILINE):
            (words,) = re.findall(r"^by_threat: (.*?)\r?$", text, re.MULTILINE)
            by_threat = {word: int(count) for word, count in re.findall(r"(\w+): (\d+)", words)}
            digests.append({"count": int(counted[1]), "by_threat": by_threat})
        elif found := re.search(r"^case ([0-9a-f]{12}) - (?:.* - )?outcome", text, re.MULTILINE):
            (threat,) = re.findall(r" (\w+) - ", mail["Subject"].partition(": ")[2])[:1]
            alone.append((found[1], threat))
    return Told(alone, digests)


@pytest.fixture
def scene(
    control_plane: ControlPlane,
    namespace: str,
    node: dict[str, Any],
    tmp_path: Path,
    emulator: Emulator,
) -> Iterator[StormScene]:
    """The scene, served."""
    with ExitStack() as stack:
        made = StormScene(control_plane, namespace, node["metadata"]["name"], tmp_path, stack)
        made.serve(emulator, stack)
        yield made


@pytest.mark.timeout(3300)
def test_a_storm_on_a_served_function_adds_up(scene: StormScene, emulator: Emulator) -> None:
    """Each finding has its case, and each route told of each once: a few one by one, all others in digests."""
    begun = time.monotonic()
    emulator.publish_all(scene.topology.topic, map(data, scene.documents))
    assert time.monotonic() - begun < 60
    half = STORM.number // 2
    wait_until(lambda: scene.settled() >= half, what="half of the storm", seconds=PATIENCE)
    scene.sweep()
    wait_until(lambda: scene.settled() == STORM.number, what="the storm's end", seconds=PATIENCE)
    for _ in itertools.takewhile(lambda _: scene.waiting(), range(20)):
        scene.let_digests_be_due()
        scene.sweep()
    states = Counter(msgspec.json.decode(value, type=CaseRecord).state for value in scene.entries("case/"))
    assert states == {"done": STORM.number}
    assert emulator.is_empty(scene.topology.dead_letter_subscription)
    minutes = (time.monotonic() - begun) / 60
    for told in scene.told().values():
        assert told.by_threat == Counter(map(_golden, range(STORM.number)))
        assert len({case for case, _ in told.alone}) == len(told.alone) <= BURST * (minutes // 5 + 1)
        assert sum(facts["count"] for facts in told.digests) == STORM.number - len(told.alone)
        assert 2 <= len(told.digests) <= 4 + minutes / 5
