"""What the API server lets the identity of undo put into a running pod: what lets frozen processes go on, alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from scc_responder.domain.changes.freeze_process import FreezeProcess
from scc_responder.domain.kubernetes.ephemeral_containers import (
    InsertedContainer,
    Role,
    container_name,
    thaw_arguments,
    thaw_forms,
)
from scc_responder.domain.status import FrozenProcess
from scc_responder.pipeline.undo.undo import Undo, Undone
from scc_responder.workbench.undo.undo_services import UndoServices
from tests.admission import test_undo_acts
from tests.admission.installed import COLLECTOR
from tests.admission.kustomize import FOLDER, build, of_kind
from tests.admission.test_admitted_containers import (
    CASE,
    KEY,
    OTHER_CASE,
    REQUEST,
    SERVER_FIELDS,
    UNPRIVILEGED,
    Container,
    cut,
    look,
    root,
    without,
)
from tests.admission.undo_installed import UndoInstalled
from tests.cluster import objects
from tests.cluster.client import ApiFailure
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until
from tests.kits.one_change import IMAGE
from tests.kits.responder import OneCluster, api_of
from tests.kits.scripted_collector import ScriptedApi, says
from tests.kits.scripted_collector import thaw as told_thaw
from tests.pipeline.undo.test_undo_elsewhere import KEY as CASE_KEY
from tests.pipeline.undo.test_undo_elsewhere import desk

pytestmark = pytest.mark.timeout(300)

FORM = "one container at a time is put in, named scc-responder-thaw-CASE, at most six in a pod"
FROZEN = "processes go on only where the case has a container that froze them, and only beside its target"
OF_COLLECTOR = "a container that is put in is of an image of the collector, by its digest"
FIELDS = "a container that is put in has no command, volumes, environment, ports, stdin or terminal"
ARGUMENTS = "a container that is put in has the arguments that let processes go on"
SECURITY = "a container that is put in is root with KILL alone, or what its target is"


def thaw(case: str = CASE, **changed: Any) -> Container:
    """The container that lets go on what this case froze."""
    base = {"name": f"scc-responder-thaw-{case}", "image": COLLECTOR["image"], "targetContainerName": "web"}
    return {**base, "args": ["thaw", KEY, REQUEST], "securityContext": root("KILL"), **changed}


def frozen(case: str = CASE, **changed: Any) -> Container:
    """The container by which this case froze."""
    return look("-freeze", case=case, **changed)


class Thawing:
    """Pods in which the responder froze processes, and the identity of undo."""

    def __init__(self, undo: UndoInstalled) -> None:
        self.undo, self.admin, self.namespace = undo, undo.plane.admin, undo.namespace
        self.node = objects.create_node(self.admin)["metadata"]["name"]
        self.made = 0

    def pod(self, *earlier: Container, user: tuple[int, int] | None = None, **security: Any) -> str:
        """The path of a pod of two containers, of which `web` has this securityContext; `earlier` are in it already."""
        self.made += 1
        pod = objects.pod(f"frozen-{self.made}", self.namespace, self.node)
        first = {"name": "web", "image": "web:1", "securityContext": security}
        pod["spec"] |= {"containers": [first, {"name": "proxy", "image": "proxy:1"}]}
        pod["spec"] |= {"volumes": [{"name": "v", "emptyDir": {}}]}
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.admin.create(pod)['metadata']['name']}"
        for container in earlier:
            self.put_in_by_others(path, container)
        if user:
            running = wait_until(
                lambda: objects.is_running(self.admin.get(path)) and self.admin.get(path), what=f"{path} to run"
            )
            linux = {"uid": user[0], "gid": user[1], "supplementalGroups": [user[1]]}
            objects.set_container_status(self.admin, running, user={"linux": linux})
        return path

    def put_in_by_others(self, path: str, container: Container) -> None:
        kind = "application/strategic-merge-patch+json"
        body = {"spec": {"ephemeralContainers": [container]}}
        answer = self.admin.send("PATCH", f"{path}/ephemeralcontainers", body, content_type=kind)
        assert answer.status == 200, answer.body


def _thawing(plane: ControlPlane, **options: Any) -> Iterator[Thawing]:
    undo = UndoInstalled(plane, objects.create_namespace(plane.admin), **options)
    made = Thawing(undo)
    try:
        undo.apply()
        yield made
    finally:
        undo.remove()
        with suppress(ApiFailure):
            plane.admin.delete(f"/api/v1/nodes/{made.node}")
        plane.admin.delete(f"/api/v1/namespaces/{undo.namespace}")


@pytest.fixture(scope="module")
def wide(control_plane: ControlPlane) -> Iterator[Thawing]:
    """With the component, for an identity that RBAC allows everything."""
    yield from _thawing(control_plane, wide=True, collector=COLLECTOR)


@pytest.fixture(scope="module")
def shipped(control_plane: ControlPlane) -> Iterator[Thawing]:
    """With the component, and with its own roles alone."""
    yield from _thawing(control_plane, collector={"image": IMAGE, "image_before": COLLECTOR["image"]})


@pytest.fixture(scope="module")
def bare(control_plane: ControlPlane) -> Iterator[Thawing]:
    """Without the component, and with its own roles alone."""
    yield from _thawing(control_plane)


ADMITTED: Mapping[str, tuple[Container, list[Container], Mapping[str, Any]]] = {
    "root": (thaw(), [frozen()], {}),
    "after a cut, a look and a freeze": (thaw(), [cut(), look(), frozen(form="freeze")], {}),
    "of the image before the upgrade": (thaw(image=COLLECTOR["image_before"]), [frozen()], {}),
    "with the server's fields": (thaw(imagePullPolicy="IfNotPresent", **SERVER_FIELDS), [frozen()], {}),
    "beside another case's": (thaw(), [frozen(), frozen(OTHER_CASE), thaw(OTHER_CASE)], {}),
    "as its target": (thaw(securityContext=UNPRIVILEGED), [frozen()], UNPRIVILEGED),
    "as the user that the status tells": (
        thaw(securityContext={"runAsUser": 1000, "runAsGroup": 1001, "readOnlyRootFilesystem": True}),
        [frozen()],
        {"user": (1000, 1001)},
    ),
    "sixth in a pod": (thaw(), [frozen(), *(thaw(f"{n:012x}") for n in range(5))], {}),
}
REFUSED: Mapping[str, tuple[Container, list[Container], Mapping[str, Any], str]] = {
    "a cut": (cut(), [frozen()], {}, FORM),
    "a look": (look(), [frozen(form="freeze")], {}, FORM),
    "a freeze": (frozen(form="freeze"), [frozen()], {}, FORM),
    "another name": (thaw(name="debugger"), [frozen()], {}, FORM),
    "a name that goes on": (thaw(name=f"scc-responder-thaw-{CASE}-2"), [frozen()], {}, FORM),
    "seventh in a pod": (thaw(), [frozen(), *(thaw(f"{n:012x}") for n in range(6))], {}, FORM),
    "nothing was put in before": (thaw(), [], {}, FROZEN),
    "the case only looked": (thaw(), [look(), cut()], {}, FROZEN),
    "another case froze": (thaw(), [frozen(OTHER_CASE)], {}, FROZEN),
    "another container was frozen": (thaw(targetContainerName="proxy"), [frozen()], {}, FROZEN),
    "no target": (without(thaw(), "targetContainerName"), [frozen()], {}, FROZEN),
    "another image": (thaw(image=COLLECTOR["image"].replace("collector@", "shell@")), [frozen()], {}, OF_COLLECTOR),
    "another digest": (thaw(image=COLLECTOR["image"].replace("a" * 64, "c" * 64)), [frozen()], {}, OF_COLLECTOR),
    "an image by tag": (thaw(image=COLLECTOR["image"].partition("@")[0] + ":1"), [frozen()], {}, OF_COLLECTOR),
    "a command": (thaw(command=["/bin/sh"]), [frozen()], {}, FIELDS),
    "environment": (thaw(env=[{"name": "A", "value": "b"}]), [frozen()], {}, FIELDS),
    "a volume": (thaw(volumeMounts=[{"name": "v", "mountPath": "/v"}]), [frozen()], {}, FIELDS),
    "stdin": (thaw(stdin=True), [frozen()], {}, FIELDS),
    "a terminal": (thaw(tty=True), [frozen()], {}, FIELDS),
    "no arguments": (without(thaw(), "args"), [frozen()], {}, ARGUMENTS),
    "arguments that freeze": (thaw(args=frozen()["args"]), [frozen()], {}, ARGUMENTS),
    "arguments that look": (thaw(args=look()["args"]), [frozen()], {}, ARGUMENTS),
    "arguments that cut": (thaw(args=["cut", KEY]), [frozen()], {}, ARGUMENTS),
    "a word more": (thaw(args=["thaw", KEY, REQUEST, "-all"]), [frozen()], {}, ARGUMENTS),
    "two words in one": (thaw(args=[f"thaw {KEY}", REQUEST]), [frozen()], {}, ARGUMENTS),
    "what looks into processes": (thaw(securityContext=root("KILL", "SYS_PTRACE")), [frozen()], {}, SECURITY),
    "what cuts": (thaw(securityContext=root("NET_ADMIN")), [frozen()], {}, SECURITY),
    "that drops nothing": (
        thaw(securityContext={"runAsUser": 0, "capabilities": {"add": ["KILL"]}}),
        [frozen()],
        {},
        SECURITY,
    ),
    "privileged": (thaw(securityContext={"privileged": True}), [frozen()], {}, SECURITY),
    "privileged as its target": (
        thaw(securityContext={"privileged": True}),
        [frozen()],
        {"privileged": True},
        SECURITY,
    ),
    "as another user than its target": (thaw(securityContext={"runAsUser": 0}), [frozen()], UNPRIVILEGED, SECURITY),
    "as another user than the status": (
        thaw(securityContext={"runAsUser": 0}),
        [frozen()],
        {"user": (1000, 1000)},
        SECURITY,
    ),
    "as another group than the status": (
        thaw(securityContext={"runAsGroup": 0}),
        [frozen()],
        {"user": (1000, 1000)},
        SECURITY,
    ),
    "that may write": (thaw(securityContext={"readOnlyRootFilesystem": False}), [frozen()], {}, SECURITY),
    "unconfined": (thaw(securityContext=root("KILL", seccompProfile={"type": "Unconfined"})), [frozen()], {}, SECURITY),
}


@pytest.mark.parametrize(("container", "earlier", "given"), ADMITTED.values(), ids=ADMITTED)
def test_what_lets_processes_go_on_is_admitted(
    wide: Thawing, container: Container, earlier: list[Container], given: Mapping[str, Any]
) -> None:
    """As a rehearsal, and for real."""
    pod = wide.pod(*earlier, **given)
    answers = [wide.undo.put_in(pod, container, **query) for query in ({"dryRun": "All"}, {})]
    assert [answer.status for answer in answers] == [200, 200], answers[0].body.get("message")


@pytest.mark.parametrize(("container", "earlier", "given", "words"), REFUSED.values(), ids=REFUSED)
def test_any_other_container_is_refused_to_undo(
    wide: Thawing, container: Container, earlier: list[Container], given: Mapping[str, Any], words: str
) -> None:
    """In the words of the rule that it breaks, and already where it is only rehearsed."""
    pod = wide.pod(*earlier, **given)
    answer = wide.undo.put_in(pod, container, dryRun="All")
    assert answer.status == 422, answer.body
    assert str(answer.body["message"]).endswith(f"denied request: {words}"), answer.body["message"]


def test_two_at_once_are_refused(wide: Thawing) -> None:
    """Also where each alone would be let in."""
    pod = wide.pod(frozen(), frozen(OTHER_CASE))
    answer = wide.undo.put_in(pod, thaw(), thaw(OTHER_CASE))
    assert str(answer.body["message"]).endswith(FORM)
    assert [wide.undo.put_in(pod, thaw(case)).status for case in (CASE, OTHER_CASE)] == [200, 200]


def test_the_same_thaw_again_changes_nothing(wide: Thawing) -> None:
    """Whoever did not get the answer may send it again; nothing else of the pod changes with it."""
    pod = wide.pod(frozen())
    before = wide.admin.get(pod)
    assert [wide.undo.put_in(pod, thaw()).status for _ in range(2)] == [200, 200]
    after = wide.admin.get(pod)
    assert after["metadata"].get("labels") == before["metadata"].get("labels")
    assert {key for key in after["spec"] if after["spec"][key] != before["spec"].get(key)} == {"ephemeralContainers"}
    assert len(after["spec"]["ephemeralContainers"]) == 2


@pytest.mark.parametrize("given", [{}, UNPRIVILEGED, {"user": (1000, 1001)}], ids=["silent", "unprivileged", "status"])
def test_what_an_undo_makes_is_admitted(wide: Thawing, given: Mapping[str, Any]) -> None:
    """Both forms that it may ask for: first root's, then the target's own."""
    path = wide.pod(frozen(), **given)
    pod = wide.admin.get(path)
    arguments = thaw_arguments(KEY.removeprefix("-key="), REQUEST.removeprefix("-request="))
    made = InsertedContainer(name=container_name(Role.THAW, CASE), target="web", arguments=arguments)
    forms = thaw_forms(pod, "web")
    assert len(forms) == 2
    for form in forms:
        (container,) = made.patch(COLLECTOR["image"], pod["metadata"]["uid"], form)["spec"]["ephemeralContainers"]
        answer = wide.undo.put_in(path, container, dryRun="All")
        assert answer.status == 200, answer.body["message"]


def test_every_rule_of_undo_is_tested() -> None:
    """There is a refused request for each rule of the admission policy, here or in the table of the other acts."""
    policy = next(yaml.safe_load_all((FOLDER / "undo" / "admission.yaml").read_text()))
    rules = [rule.get("message", test_undo_acts.NOT_AN_ACT) for rule in policy["spec"]["validations"]]
    told = {words for _, words in (case.values for case in test_undo_acts.DENIED)}
    tested = {test_undo_acts.NOT_AN_ACT if words.startswith(test_undo_acts.NOT_AN_ACT) else words for words in told}
    assert {*rules} - tested - {words for *_, words in REFUSED.values()} == set()
    assert len({*rules}) == len(rules)


ONLY_WITH_IT = [
    ("PATCH", "{pod}/ephemeralcontainers", {"spec": {"ephemeralContainers": []}}),
    ("GET", "{pod}/log", None),
    ("GET", "/api/v1/namespaces/{namespace}/events", None),
]
NEVER = [
    ("POST", "{pod}/exec?command=sh", None),
    ("POST", "{pod}/eviction", {"metadata": {"name": "x"}}),
    ("DELETE", "{pod}", None),
    ("POST", "/api/v1/namespaces/{namespace}/pods", objects.pod("x", "default", "n")),
    ("GET", "/api/v1/namespaces/{namespace}/secrets", None),
    ("PATCH", "{pod}/status", {"status": {}}),
]


def test_the_roles_grant_it_with_the_component_alone(shipped: Thawing, bare: Thawing) -> None:
    """Logs, events and containers in pods are for who let processes go on; nothing else comes with them."""

    def refused(side: Thawing, requests: list[Any]) -> list[bool]:
        pod = side.pod(frozen())
        filled = [(method, path.format(pod=pod, namespace=side.namespace), body) for method, path, body in requests]
        answers = [side.undo.send(*request) for request in filled]
        return [answer.status == 403 and " cannot " in answer.body["message"] for answer in answers]

    assert refused(bare, ONLY_WITH_IT) == [True] * len(ONLY_WITH_IT)
    assert refused(shipped, ONLY_WITH_IT) == [False] * len(ONLY_WITH_IT)
    assert refused(shipped, NEVER) == refused(bare, NEVER) == [True] * len(NEVER)


def test_an_unedited_image_lets_nothing_go_on(control_plane: ControlPlane) -> None:
    """With the component as it is shipped, nothing is put in, not even what is named like the placeholder."""
    for made in _thawing(control_plane, wide=True, collector={}):
        images = ("COLLECTOR-IMAGE", "COLLECTOR", COLLECTOR["image"])
        told = [str(made.undo.put_in(made.pod(frozen()), thaw(image=image)).body.get("message")) for image in images]
        assert [words for words in told if not words.endswith(OF_COLLECTOR)] == []


def test_the_component_is_off_and_adds_one_role() -> None:
    """As it is shipped, undo puts nothing into pods."""
    alone, both = (build(folder=FOLDER / "undo", components=components) for components in ([], ["forensic"]))
    added = [item for item in both if item not in alone]
    assert [(item["kind"], item["metadata"]["name"]) for item in added] == [
        ("ValidatingAdmissionPolicy", "scc-responder-undo"),
        ("ClusterRole", "scc-responder-undo-forensic"),
        ("ClusterRoleBinding", "scc-responder-undo-forensic"),
    ]
    (role,) = of_kind(added, "ClusterRole")
    granted = {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    assert granted == {("pods/ephemeralcontainers", "patch"), ("pods/log", "get"), ("events", "list")}


def night_of(side: Thawing, folder: Path) -> tuple[UndoServices, str]:
    """A desk with a case that froze in a pod of this cluster, and the pod's path; what is put in starts at once."""
    path = side.pod(frozen(CASE_KEY[:12]))
    pod = wait_until(lambda: objects.is_running(side.admin.get(path)) and side.admin.get(path), what=f"{path} to run")
    meta = pod["metadata"]
    change = FreezeProcess(namespace=side.namespace, name=meta["name"], uid=meta["uid"], container="web", request="e30")
    services = desk(folder, change, frozen=(FrozenProcess(pid=43, start_ticks=8043),))
    api: Any = ScriptedApi(api_of(side.undo))
    api.answers["thaw"] = says(told_thaw(p43="thawed"))
    services.clusters = OneCluster(api)

    def started(_seconds: float) -> None:
        running = {"name": f"scc-responder-thaw-{CASE_KEY[:12]}", "state": {"running": {"startedAt": None}}}
        side.admin.patch(f"{path}/status", {"status": {"ephemeralContainerStatuses": [running]}})

    services.wait = started
    return services, path


def reasons(undone: Sequence[Undone]) -> list[str]:
    return [f"{each.result.status}: {each.result.reason}" for each in undone]


def test_a_case_that_froze_is_taken_back(shipped: Thawing, tmp_path: Path) -> None:
    """With what is shipped and the component: rehearsed first, then one container more is in the pod."""
    services, path = night_of(shipped, tmp_path)
    assert reasons(Undo(services, CASE_KEY).look()) == ["dry_run: would_insert"]
    assert len(shipped.admin.get(path)["spec"]["ephemeralContainers"]) == 1
    assert reasons(Undo(services, CASE_KEY).apply()) == ["done: thawed"]
    there = {item["name"]: item for item in shipped.admin.get(path)["spec"]["ephemeralContainers"]}
    assert sorted(there) == [f"scc-responder-{form}-{CASE_KEY[:12]}" for form in ("look", "thaw")]
    put = there[f"scc-responder-thaw-{CASE_KEY[:12]}"]
    assert put["args"][0] == "thaw"
    assert put["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["KILL"]}
    services.store.close()


def test_without_the_component_it_is_said_who_refuses(bare: Thawing, tmp_path: Path) -> None:
    """And the processes stand still."""
    services, path = night_of(bare, tmp_path)
    assert reasons(Undo(services, CASE_KEY).apply()) == ["not_possible: kubernetes_forbidden"]
    assert len(bare.admin.get(path)["spec"]["ephemeralContainers"]) == 1
    services.store.close()
