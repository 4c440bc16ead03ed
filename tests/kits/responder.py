"""A deployment of the responder for tests: real code throughout, with a cluster, a folder of findings and a clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.adapters.local.findings_file import FindingsFolder
from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.clock import utc_now
from scc_responder.domain.context import Cluster
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.mode import Mode
from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.ports import Clock, KubernetesApi
from scc_responder.guard.kill_switch import Setting
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.delivery import respond
from scc_responder.policy.compiled import COMPILED_FILE
from scc_responder.settings import read_settings
from scc_responder.workbench.policy_files.policy_file import compile_policies, load_policies
from scc_responder.workbench.policy_files.shipped_pack import PACK
from scc_responder.workbench.stores import open_store
from tests.findings import data, notification, push_body
from tests.kits.local_store import LocalStoreServices

CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
SOURCE = "1111111111111111111"
RUN_SOURCE = "2222222222222222222"
SHIPPED = PACK
NODE = "gke-prod-1-pool-1-3f2a1b0c-q7wz"
SPARE_NODE = "gke-prod-1-pool-1-3f2a1b0c-x8kd"
ALL = ("label_pod", "annotate_pod", "isolate_pod", "capture_evidence", "cordon_node", "delete_pod", "notify")
CONTAINED = [
    "label_pod: patched",
    "annotate_pod: patched",
    "isolate_pod: patched",
    "isolate_pod: isolated",
    "capture_evidence: captured",
    "cordon_node: patched",
    "delete_pod: armed",
    "delete_pod: processes_ended",
    "notify: published",
]
"""What `ALL` comes to where nothing stands in the way."""


def turn(store: Path | str, mode: Mode | str = Mode.ENFORCE, cluster: str = "", *, emulator: str = "") -> None:
    """Turn the kill switch in a store: a fresh one has no document, which means `dry_run`."""
    opened = open_store(str(store), emulator)
    setting = Setting(mode=Mode(mode), reason="For a test.", by="secops@example.com", at=utc_now())
    SwitchDocuments(opened).set(setting, cluster)
    opened.close()


class OneCluster:
    """`ports.Clusters` for one API server, under the name that the goldens use."""

    def __init__(
        self, api: KubernetesApi, *, enforces_network_policy: bool | None = True, workload_pool: str | None = None
    ) -> None:
        self.api = api
        self.workload_pool = workload_pool
        self.enforces = enforces_network_policy
        self.asked = 0

    def describe(self, ref: ClusterRef) -> Cluster:
        """The cluster, with what the test says of its dataplane."""
        self.asked += 1
        pool, enforces = self.workload_pool, self.enforces
        return Cluster(ref=ref, autopilot=False, enforces_network_policy=enforces, workload_pool=pool)

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        """The API server."""
        self.asked += 1
        return self.api


class PublishedMessages:
    """`ports.Notifier` that keeps what was published."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def tell(self, notice: Notice) -> str:
        """Keep the message."""
        self.messages.append({"attributes": notice.attributes, **json.loads(notice.message)})
        return str(len(self.messages))


class Deployment:
    """One responder with its own journal, findings and evidence, in one cluster."""

    def __init__(self, folder: Path, api: KubernetesApi, policies: Path, **environment: str) -> None:
        self.folder = folder
        self.findings = folder / "findings"
        self.findings.mkdir(exist_ok=True)
        settings = {
            "SCC_RESPONDER_CLUSTERS": "projects/example-project/locations/*/clusters/*",
            "SCC_RESPONDER_SOURCES": f"{SOURCE},{RUN_SOURCE}",
            "SCC_RESPONDER_STORE": f"sqlite:///{folder / 'journal.db'}",
            "SCC_RESPONDER_EVIDENCE": f"file://{folder / 'evidence'}",
            **{_variable(name): value for name, value in environment.items()},
        }
        self.services = LocalStoreServices(read_settings(settings, policies))
        self.services.policies = load_policies(policies)
        self.turn(Mode.ENFORCE)
        self.clusters = OneCluster(api)
        self.published = PublishedMessages()
        self.lines: list[dict[str, Any]] = []
        self.services.clusters = self.clusters
        self.services.findings = FindingsFolder(self.findings, self.services.settings.sources)
        self.services.notifier = self.published
        self.services.tell = lambda line: self.lines.append(json.loads(line))
        self.services.wait = lambda _seconds: None

    def turn(self, mode: Mode | str, cluster: str = "") -> None:
        """Turn the kill switch."""
        settings = self.services.settings
        turn(settings.store, mode, cluster, emulator=settings.firestore_emulator)

    def list_finding(self, document: Mapping[str, Any], name: str = "finding") -> None:
        """Let Security Command Center know the finding as it stands in this notification."""
        (self.findings / f"{name}.json").write_bytes(data(document))

    def push(self, body: bytes) -> Ending:
        """Push a body, and return how its delivery ended."""
        return respond(body, {}, self.services)

    def deliver(self, document: Mapping[str, Any] | bytes, **envelope: Any) -> Ending:
        """Push a notification, and return how its delivery ended."""
        return self.push(push_body(document, **envelope))

    def set_clock(self, clock: Clock) -> None:
        """Let it be another time: for the journal too, and for what it holds."""
        self.services.clock = clock
        self.services.store = SqliteStore(self.folder / "journal.db", clock=clock)
        self.services.journal = Journal(self.services.store, clock, looks=self.services.settings.looks)

    def respond_to(self, document: Mapping[str, Any]) -> Ending:
        """List the finding and push its notification."""
        self.list_finding(document)
        return self.deliver(document)

    def case(self, document: Mapping[str, Any]) -> CaseRecord:
        """The case that the notification's finding led to."""
        record = self.services.journal.read(parse_notification(document).key)
        assert record is not None
        return record

    def outcomes(self, document: Mapping[str, Any]) -> list[str]:
        """The case's steps as `action: reason`, in order."""
        return [f"{step.action}: {step.reason}" for step in self.case(document).steps]

    @property
    def line(self) -> dict[str, Any]:
        """The last log line."""
        return self.lines[-1]


def _variable(name: str) -> str:
    platforms = {"emulator": "FIRESTORE_EMULATOR_HOST", "threads": "THREADS"}
    return platforms.get(name, f"SCC_RESPONDER_{name.upper()}")


RAILS = "protected: {namespaces: [kube-system]}\n"


def write_policies(folder: Path, *policies: str, guardrails: str = RAILS) -> Path:
    """A folder of policies, each given as YAML whose `name` is its file's."""
    folder.mkdir(exist_ok=True)
    (folder / "guardrails.yaml").write_text(guardrails)
    for policy in policies:
        name = policy.split("name:", 1)[1].split()[0]
        (folder / f"{name}.yaml").write_text(policy)
    return folder


def rewritten(deployment: Deployment, text: str) -> None:
    """Let the deployment go by another policy `contain`."""
    folder = deployment.services.settings.policies
    (folder / "contain.yaml").write_text(text)
    deployment.services.policies = load_policies(folder)


def raised(text: str) -> str:
    """A shipped policy as it enforces, or the shipped guardrails, by which no first shot waits."""
    return text.replace("\nmode: dry_run\n", "\nmode: enforce\n").replace("\nwarm_up: 60s\n", "\nwarm_up: 0s\n")


def compiled(folder: Path) -> Path:
    """The same folder of policies, with the compiled form that a deployment starts from."""
    (folder / COMPILED_FILE).write_bytes(compile_policies(folder))
    return folder


def policy(*steps: str, name: str = "contain", when: str = "threat: reverse_shell", mode: str = "enforce") -> str:
    """A policy of these actions; a step with parameters is given as `delete_pod {allow_standalone: true}`."""
    lines = [f"name: {name}", "description: For a test.", "owner: secops@example.com", f"mode: {mode}"]
    lines += ["when:", f"  {when}", "then:"]
    for step in steps:
        action, _, parameters = step.partition(" ")
        lines += [f"  - action: {action}", *([f"    with: {parameters}"] if parameters else [])]
    return "\n".join(lines) + "\n"


def finding_about(pod: Mapping[str, Any], /, golden: str = "reverse_shell", **changes: Any) -> dict[str, Any]:
    """A notification about this very pod, whose every field the pod bears out."""
    status = pod["status"]["containerStatuses"][0]
    started = status["state"]["running"]["startedAt"]
    event = datetime.fromisoformat(started).astimezone(UTC) + timedelta(seconds=2)
    container = {
        "name": status["name"],
        "uri": status["image"],
        "imageId": status["imageID"],
        "createTime": started,
    }
    where = {
        "event_time": event.isoformat().replace("+00:00", "Z"),
        "namespace": pod["metadata"]["namespace"],
        "pod": pod["metadata"]["name"],
        "node": pod["spec"]["nodeName"],
    }
    finding = changes.pop("finding", {})
    document = notification(golden, **{**where, **changes})
    inner = document["finding"]
    inner["containers"] = [container]
    for item in inner.get("kubernetes", {}).get("pods", []):
        item["containers"] = [container]
    inner.get("sourceProperties", {}).pop("Container_Image_Uri", None)
    inner.get("sourceProperties", {}).pop("Container_Name", None)
    inner.get("sourceProperties", {}).pop("Container_Image_Id", None)
    inner.get("sourceProperties", {}).pop("Container_Creation_Timestamp", None)
    inner.update(finding)
    return document


class Interposed:
    """A `ports.KubernetesApi` before another: `before(number, verb, path)` runs ahead of each call, counted from 1.

    `after` runs once the call was answered. Either may change the cluster, or raise what the caller is to see.
    """

    def __init__(
        self,
        api: KubernetesApi,
        before: Callable[[int, str, str], object] = lambda *_: None,
        after: Callable[[int, str, str], object] = lambda *_: None,
    ) -> None:
        self.api = api
        self.before = before
        self.after = after
        self.calls: list[str] = []
        self._lock = Lock()

    def get(self, path: str) -> dict[str, Any]:
        return self._passed("get", path, lambda: self.api.get(path))

    def list(self, path: str, field_selector: str = "", label_selector: str = "") -> list[dict[str, Any]]:
        return self._passed("list", path, lambda: self.api.list(path, field_selector, label_selector))

    def gather(self, path: str, keep: Any, field_selector: str = "", label_selector: str = "") -> Any:
        return self._passed("list", path, lambda: self.api.gather(path, keep, field_selector, label_selector))

    def create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        return self._passed("create", path, lambda: self.api.create(path, body, dry_run=dry_run))

    def patch(self, path: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        return self._passed("patch", path, lambda: self.api.patch(path, body, **options))

    def delete(self, path: str, options: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        return self._passed("delete", path, lambda: self.api.delete(path, options, dry_run=dry_run))

    def read_log(self, path: str, **options: Any) -> Iterator[bytes]:
        yield from self._passed("get", path, lambda: [*self.api.read_log(path, **options)])

    def _passed(self, verb: str, path: str, call: Callable[[], Any]) -> Any:
        with self._lock:
            self.calls.append(f"{verb} {path}")
            number = len(self.calls)
            self.before(number, verb, path)
        answer = call()
        self.after(number, verb, path)
        return answer


def crashing(api: KubernetesApi, verb: str, *, sent: bool) -> Interposed:
    """The API server until a process crashes right before (`sent`: after) its first request of this verb."""
    crashed: list[str] = []

    def crash(_number: int, called: str, _path: str) -> None:
        if crashed or called == verb:
            crashed.append(called)
            raise KeyError("a crash of ours")

    def stay_dead(number: int, called: str, path: str) -> None:
        if crashed:
            crash(number, called, path)

    return Interposed(api, stay_dead, crash) if sent else Interposed(api, crash)


def deployed(tmp_path: Path, cluster: Any, *policies: str, guardrails: str = RAILS, **environment: str) -> Deployment:
    """A deployment in the cluster, with these policies."""
    folder = write_policies(tmp_path / "policies", *policies, guardrails=guardrails)
    return Deployment(tmp_path, api_of(cluster), folder, **environment)


def api_of(side: Any, user: str = "responder") -> KubernetesApi:
    """The API server of a cluster as one of its users."""
    return connect(side.url, side.ca_pem, lambda: side.token(user))


def mutations(audit: Iterable[Any]) -> Sequence[str]:
    """The writes among audit events, in order, as `verb resource`."""
    return [f"{event.verb} {event.rbac_resource}" for event in audit if event.verb in {"patch", "create", "delete"}]
