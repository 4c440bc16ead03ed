"""What the API server lets the responder put into a running pod: its collector, in exact forms, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import yaml

from scc_responder.domain.kubernetes.ephemeral_containers import (
    InsertedContainer,
    LookRequest,
    Role,
    container_name,
    cut_arguments,
    cut_form,
    look_arguments,
    look_forms,
    request_argument,
    thaw_arguments,
)
from tests.admission.installed import COLLECTOR, Installed
from tests.admission.kustomize import FOLDER
from tests.admission.test_acts import AGENT, DENIED, NODE_PROTECTED, NOT_AN_ACT, PROTECTED, Targets
from tests.cluster import objects
from tests.cluster.client import Answer
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until

CASE, OTHER_CASE = "0123456789ab", "ba9876543210"
KEY, REQUEST = f"-key={'K' * 43}", "-request=eyJwaWRzIjpbNDNdfQ"
LOOKS = ("SYS_PTRACE", "DAC_OVERRIDE", "KILL")
UNPRIVILEGED = {"runAsUser": 65532, "runAsGroup": 65532, "allowPrivilegeEscalation": False}
Container = dict[str, Any]

FORM = (
    "one container at a time is put in, or a cut and a look of one case, named scc-responder-FORM-CASE, at most three "
    "for a case and six in a pod"
)
IMAGE = "a container that is put in is of an image of the collector, by its digest"
FIELDS = "a container that is put in has no command, volumes, environment, ports, stdin or terminal"
ARGUMENTS = "a container that is put in has the arguments of its form; -sockets is for the host's network alone"
TARGET = "a container that cuts has no target, and is for a network of the pod's own; any other one has a target"
SECURITY = "a container that is put in is root with the capabilities of its form, or what its target is"


def root(*capabilities: str, **security: Any) -> dict[str, Any]:
    """The securityContext of a container that is root with these capabilities alone."""
    return {"runAsUser": 0, "capabilities": {"drop": ["ALL"], "add": list(capabilities)}, **security}


def cut(**changed: Any) -> Container:
    """The container that cuts connections."""
    base = {"name": f"scc-responder-cut-{CASE}", "image": COLLECTOR["image"], "args": ["cut", KEY]}
    return {**base, "securityContext": root("NET_ADMIN"), **changed}


def look(*flags: str, form: str = "look", case: str = CASE, **changed: Any) -> Container:
    """The container that looks, perhaps freezes."""
    net = ("NET_ADMIN",) if "-sockets" in flags else ()
    base = {"name": f"scc-responder-{form}-{case}", "image": COLLECTOR["image"], "targetContainerName": "web"}
    arguments = ["thaw" if form == "thaw" else "look", *flags, KEY, REQUEST]
    return {**base, "args": arguments, "securityContext": root(*LOOKS, *net), **changed}


def without(container: Container, *keys: str) -> Container:
    """The container without these fields."""
    return {key: value for key, value in container.items() if key not in keys}


class Debugged(Targets):
    """Pods that containers are put into."""

    def put_in(self, pod: str, *containers: Container, who: str = "email", **query: str) -> Answer:
        """The answer to a strategic merge patch with these containers."""
        return self.patch(pod, {"spec": {"ephemeralContainers": list(containers)}}, who=who, **query)

    def patch(self, pod: str, body: object, who: str = "email", **query: str) -> Answer:
        """The answer to a strategic merge patch of the subresource."""
        headers = {"Impersonate-User": self.installed.names[who]} if who else {}
        kind = "application/strategic-merge-patch+json"
        return self.admin.send("PATCH", f"{pod}/ephemeralcontainers", body, content_type=kind, headers=headers, **query)

    def debugged(self, *earlier: Container, namespace: str = "", host_network: bool = False, **security: Any) -> str:
        """The path of a pod with a container `web` that has this securityContext; `earlier` were put in by people."""
        self.pods += 1
        inside = namespace or self.installed.namespace
        pod = objects.pod(f"debugged-{self.pods}", inside, self.node)
        pod["spec"]["containers"] = [{"name": "web", "image": "web:1", "securityContext": security}]
        if host_network:
            pod["spec"] |= {"hostNetwork": True}
        path = f"/api/v1/namespaces/{inside}/pods/{self.admin.create(pod)['metadata']['name']}"
        for container in earlier:
            assert self.put_in(path, container, who="").status == 200
        return path

    def runs_as(self, pod: str, uid: int, gid: int) -> str:
        """The pod's path, with the user that its container runs as in the status, as kubelet tells it."""
        running = wait_until(
            lambda: objects.is_running(self.admin.get(pod)) and self.admin.get(pod), what=f"{pod} to run"
        )
        user = {"linux": {"uid": uid, "gid": gid, "supplementalGroups": [gid]}}
        objects.set_container_status(self.admin, running, user=user)
        return pod


@pytest.fixture(scope="module")
def debugged(wide: Installed) -> Iterator[Debugged]:
    """Pods for an identity that RBAC allows everything."""
    made = Debugged(wide)
    made.installed.switch("enforce")
    yield made
    made.remove()


def ours(number: int) -> Sequence[Container]:
    """Containers of ours that are in a pod already, each of another case."""
    return [look(case=f"{n:012x}") for n in range(number)]


SERVER_FIELDS = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
Debugging = tuple[Container, Mapping[str, Any]]
"""A container, and what the pod is: keywords of `debugged`."""

ADMITTED: Mapping[str, Debugging] = {
    "cut": (cut(), {}),
    "cut, in all it may say": (
        cut(securityContext=root("NET_ADMIN", runAsGroup=0, runAsNonRoot=False, allowPrivilegeEscalation=False)),
        {},
    ),
    "look, as confined as may be": (
        look(securityContext=root(*LOOKS, readOnlyRootFilesystem=True, seccompProfile={"type": "RuntimeDefault"})),
        {},
    ),
    "own form, that writes nothing": (look(securityContext={"readOnlyRootFilesystem": True}), {}),
    "cut, image before the upgrade": (cut(image=COLLECTOR["image_before"]), {}),
    "cut, server's fields": (cut(imagePullPolicy="IfNotPresent", **SERVER_FIELDS), {}),
    "look": (look(), {}),
    "look and freeze": (look("-freeze"), {}),
    "freeze after a look": (look("-freeze", form="freeze"), {"earlier": [cut(), look()]}),
    "thaw": (look(form="thaw"), {"earlier": [cut(), look("-freeze")]}),
    "look, host network": (look("-freeze", "-sockets"), {"host_network": True}),
    "look, host network without its sockets": (look("-freeze"), {"host_network": True}),
    "own form": (look(securityContext=UNPRIVILEGED), UNPRIVILEGED),
    "own form, user by the status": (
        look(securityContext={"runAsUser": 1000, "runAsGroup": 1001}),
        {"as": (1000, 1001)},
    ),
    "own form, of a target that says nothing": (look(securityContext={}), {}),
    "own form, dropped": (
        look(securityContext={"capabilities": {"drop": ["ALL"]}}),
        {"capabilities": {"drop": ["ALL"]}},
    ),
    "sixth in a pod": (look(), {"earlier": ours(5)}),
    "beside a person's": (look(), {"earlier": [{"name": "debugger", "image": "busybox:1"}]}),
}
REFUSED: Mapping[str, tuple[Container, Mapping[str, Any], str]] = {
    "another name": (cut(name="debugger"), {}, FORM),
    "a name of another form": (cut(name=f"scc-responder-shell-{CASE}"), {}, FORM),
    "a name without a case": (cut(name="scc-responder-cut-0123"), {}, FORM),
    "a name that goes on": (cut(name=f"scc-responder-cut-{CASE}-2"), {}, FORM),
    "seventh in a pod": (look(), {"earlier": ours(6)}, FORM),
    "fourth of a case": (
        look(form="thaw"),
        {"earlier": [cut(), look(), look("-freeze", form="freeze")]},
        FORM,
    ),
    "another image": (cut(image=COLLECTOR["image"].replace("collector@", "shell@")), {}, IMAGE),
    "another digest": (cut(image=COLLECTOR["image"].replace("a" * 64, "c" * 64)), {}, IMAGE),
    "image by tag": (cut(image=COLLECTOR["image"].partition("@")[0] + ":1"), {}, IMAGE),
    "no digest at all": (cut(image="COLLECTOR"), {}, IMAGE),
    "command": (cut(command=["/bin/sh"]), {}, FIELDS),
    "environment": (cut(env=[{"name": "A", "value": "b"}]), {}, FIELDS),
    "environment from elsewhere": (cut(envFrom=[{"secretRef": {"name": "s", "optional": True}}]), {}, FIELDS),
    "volume": (look(volumeMounts=[{"name": "v", "mountPath": "/v"}]), {"volume": "v"}, FIELDS),
    "stdin": (cut(stdin=True), {}, FIELDS),
    "terminal": (cut(tty=True), {}, FIELDS),
    "working folder": (cut(workingDir="/tmp"), {}, FIELDS),
    "no arguments": (without(cut(), "args"), {}, ARGUMENTS),
    "arguments of another form": (cut(args=look()["args"]), {}, ARGUMENTS),
    "look that cuts": (look(args=["cut", KEY]), {}, ARGUMENTS),
    "look that thaws": (look(args=["thaw", KEY, REQUEST]), {}, ARGUMENTS),
    "freeze that only looks": (look(form="freeze"), {}, ARGUMENTS),
    "thaw that freezes": (look("-freeze", form="thaw"), {}, ARGUMENTS),
    "short key": (cut(args=["cut", "-key=K"]), {}, ARGUMENTS),
    "key of other characters": (cut(args=["cut", f"-key={'/' * 43}"]), {}, ARGUMENTS),
    "one word more": (cut(args=["cut", KEY, "-all"]), {}, ARGUMENTS),
    "two words in one": (cut(args=[f"cut {KEY}"]), {}, ARGUMENTS),
    "a line more": (cut(args=["cut", f"{KEY}\n"]), {}, ARGUMENTS),
    "no request": (look(args=["look", KEY]), {}, ARGUMENTS),
    "request that is too long": (look(args=["look", KEY, f"-request={'a' * 8193}"]), {}, ARGUMENTS),
    "sockets in a network of the pod's own": (look("-freeze", "-sockets"), {}, ARGUMENTS),
    "sockets without a freeze": (look("-sockets"), {"host_network": True}, ARGUMENTS),
    "cut of the host's network": (cut(), {"host_network": True}, TARGET),
    "cut with a target": (cut(targetContainerName="web"), {}, TARGET),
    "look without a target": (without(look(), "targetContainerName"), {}, TARGET),
    "cut without root": (cut(securityContext={"capabilities": root("NET_ADMIN")["capabilities"]}), {}, SECURITY),
    "cut with more": (cut(securityContext=root("NET_ADMIN", "SYS_PTRACE")), {}, SECURITY),
    "cut that drops nothing": (
        cut(securityContext={"runAsUser": 0, "capabilities": {"add": ["NET_ADMIN"]}}),
        {},
        SECURITY,
    ),
    "cut, privileged": (cut(securityContext={"privileged": True}), {}, SECURITY),
    "cut without a securityContext": (without(cut(), "securityContext"), {}, SECURITY),
    "look with NET_ADMIN": (look(securityContext=root(*LOOKS, "NET_ADMIN")), {}, SECURITY),
    "look with SYS_ADMIN": (look(securityContext=root(*LOOKS, "SYS_ADMIN")), {}, SECURITY),
    "look, privileged": (look(securityContext={"privileged": True}), {}, SECURITY),
    "own form, that may write": (look(securityContext={"readOnlyRootFilesystem": False}), {}, SECURITY),
    "look, privileged like its target": (look(securityContext={"privileged": True}), {"privileged": True}, SECURITY),
    "look with other labels": (look(securityContext=root(*LOOKS, seLinuxOptions={"type": "spc_t"})), {}, SECURITY),
    "look, unconfined": (look(securityContext=root(*LOOKS, seccompProfile={"type": "Unconfined"})), {}, SECURITY),
    "look, in another group": (look(securityContext=root(*LOOKS, runAsGroup=5)), {}, SECURITY),
    "look as another user": (look(securityContext={"runAsUser": 0}), {"runAsUser": 1000}, SECURITY),
    "look as another user than the status": (look(securityContext={"runAsUser": 0}), {"as": (1000, 1000)}, SECURITY),
    "look as another group than the status": (look(securityContext={"runAsGroup": 0}), {"as": (1000, 1000)}, SECURITY),
    "look with what its target has not": (look(securityContext=UNPRIVILEGED), {}, SECURITY),
    "look, protected": (look(), {"protected": True}, PROTECTED),
}


def of(debugged: Debugged, given: Mapping[str, Any]) -> str:
    """The path of a pod as a row of the tables says."""
    asked = dict(given)
    earlier, user, volume = asked.pop("earlier", ()), asked.pop("as", None), asked.pop("volume", "")
    if asked.pop("protected", False):
        asked["namespace"] = debugged.guarded
    path = debugged.debugged(*earlier, **asked)
    if volume:
        path = with_volume(debugged, volume)
    return debugged.runs_as(path, *user) if user else path


def with_volume(debugged: Debugged, name: str) -> str:
    """The path of a pod that has a volume of this name."""
    debugged.pods += 1
    pod = objects.pod(f"volume-{debugged.pods}", debugged.installed.namespace, debugged.node)
    pod["spec"] |= {"containers": [{"name": "web", "image": "web:1"}], "volumes": [{"name": name, "emptyDir": {}}]}
    return f"{debugged.inside}/pods/{debugged.admin.create(pod)['metadata']['name']}"


@pytest.mark.parametrize(("container", "given"), ADMITTED.values(), ids=ADMITTED)
def test_each_form_is_admitted(debugged: Debugged, container: Container, given: Mapping[str, Any]) -> None:
    """A rehearsal tells it first, and the request itself is let through."""
    pod = of(debugged, given)
    answers = [debugged.put_in(pod, container, **query) for query in ({"dryRun": "All"}, {})]
    assert [answer.status for answer in answers] == [200, 200], [answer.body.get("message") for answer in answers]


@pytest.mark.parametrize(("container", "given", "words"), REFUSED.values(), ids=REFUSED)
def test_any_other_container_is_refused(
    debugged: Debugged, container: Container, given: Mapping[str, Any], words: str
) -> None:
    """In the words of the rule that it breaks, and already where it is only rehearsed."""
    answer = debugged.put_in(of(debugged, given), container, dryRun="All")
    assert answer.status == 422, answer.body
    assert str(answer.body["message"]).endswith(f"denied request: {words}"), answer.body["message"]


TOGETHER: Mapping[str, tuple[Sequence[Container], Mapping[str, Any], str]] = {
    "cut and look": ([cut(), look("-freeze")], {}, ""),
    "look and cut": ([look(), cut()], {}, ""),
    "cut and look as the target": ([cut(), look(securityContext=UNPRIVILEGED)], UNPRIVILEGED, ""),
    "look, beside a cut that is there": ([cut(), look("-freeze")], {"earlier": [cut()]}, ""),
    "of two cases": ([cut(), look(case=OTHER_CASE)], {}, FORM),
    "two that look": ([look(), look("-freeze", form="freeze")], {}, FORM),
    "cut and thaw": ([cut(), look(form="thaw")], {}, FORM),
    "three": ([cut(), look(), look("-freeze", form="freeze")], {}, FORM),
    "cut and a person's": ([cut(), {"name": "debugger", "image": "busybox:1"}], {}, FORM),
    "fourth of a case": (
        [cut(), look()],
        {"earlier": [look("-freeze", form="freeze"), look(form="thaw")]},
        FORM,
    ),
    "cut of another image": ([cut(image=f"shell@sha256:{'a' * 64}"), look()], {}, IMAGE),
    "look of another image": ([cut(), look(image=f"shell@sha256:{'a' * 64}")], {}, IMAGE),
    "cut with a command": ([cut(command=["/bin/sh"]), look()], {}, FIELDS),
    "cut with other arguments": ([cut(args=look()["args"]), look()], {}, ARGUMENTS),
    "look with other arguments": ([cut(), look(args=["cut", KEY])], {}, ARGUMENTS),
    "cut with a target": ([cut(targetContainerName="web"), look()], {}, TARGET),
    "look without a target": ([cut(), without(look(), "targetContainerName")], {}, TARGET),
    "cut of the host's network": ([cut(), look("-freeze", "-sockets")], {"host_network": True}, TARGET),
    "cut as the target": ([cut(securityContext=UNPRIVILEGED), look()], UNPRIVILEGED, SECURITY),
    "cut with more": ([cut(securityContext=root("NET_ADMIN", *LOOKS)), look()], {}, SECURITY),
    "look that may cut": ([cut(), look(securityContext=root("NET_ADMIN", *LOOKS))], {}, SECURITY),
}


@pytest.mark.parametrize(("containers", "given", "words"), TOGETHER.values(), ids=TOGETHER)
def test_a_cut_and_a_look_may_come_together(
    debugged: Debugged, containers: Sequence[Container], given: Mapping[str, Any], words: str
) -> None:
    """Of one case, each in the form in which it may come alone; no other two."""
    answer = debugged.put_in(of(debugged, given), *containers, dryRun="All")
    told = str(answer.body.get("message", ""))
    assert told.endswith(f"denied request: {words}") if words else answer.status == 200, told


def test_the_same_request_again_changes_nothing(debugged: Debugged) -> None:
    """Whoever did not get the answer may send it again."""
    pod = debugged.debugged()
    answers = [debugged.put_in(pod, cut()) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert len(debugged.admin.get(pod)["spec"]["ephemeralContainers"]) == 1


def test_nothing_else_of_the_pod_changes(debugged: Debugged) -> None:
    """Whatever else the request asks for: the API server takes the containers alone."""
    pod = debugged.debugged()
    body = {
        "metadata": {"labels": {"app": "other"}},
        "spec": {"ephemeralContainers": [cut()], "activeDeadlineSeconds": 1},
    }
    before, answer = debugged.admin.get(pod), debugged.patch(pod, body)
    after = debugged.admin.get(pod)
    assert answer.status == 200
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    assert {key for key in after["spec"] if after["spec"][key] != before["spec"].get(key)} == {"ephemeralContainers"}


def test_no_container_of_another_is_changed(debugged: Debugged) -> None:
    """Neither replaced nor taken away: that is the API server's own rule."""
    pod = debugged.debugged({"name": "debugger", "image": "busybox:1"})
    for entry in ({"name": "debugger", "image": COLLECTOR["image"]}, {"name": "debugger", "$patch": "delete"}):
        assert debugged.put_in(pod, entry).status == 422


def test_the_cluster_pauses_it_too(debugged: Debugged) -> None:
    """The annotation that pauses a cluster holds these requests like any other; a rehearsal passes with `dry_run`."""
    pod = debugged.debugged()
    debugged.installed.switch("dry_run")
    answers = [debugged.put_in(pod, cut(), **query) for query in ({"dryRun": "All"}, {})]
    debugged.installed.switch("enforce")
    assert [answer.status for answer in answers] == [200, 422]
    assert "allows rehearsals only" in str(answers[1].body["message"])


def test_an_unedited_image_is_no_image(control_plane: ControlPlane) -> None:
    """With the component as it is shipped, nothing is put in, not even what is named like the placeholder."""
    installed = Installed(control_plane, objects.create_namespace(control_plane.admin), wide=True, collector={})
    try:
        installed.apply()
        installed.switch("enforce")
        made = Debugged(installed)
        images = ("COLLECTOR-IMAGE", "COLLECTOR", COLLECTOR["image"], "")
        told = [str(made.put_in(made.debugged(), cut(image=image)).body.get("message")) for image in images]
        made.remove()
    finally:
        installed.remove()
        control_plane.admin.delete(f"/api/v1/namespaces/{installed.namespace}")
    assert [words for words in told[:3] if not words.endswith(IMAGE)] == []
    assert "image: Required value" in told[3]


def test_every_rule_is_tested() -> None:
    """There is a refused request for each rule of the admission policy, here or in the table of the other acts."""
    policy = next(yaml.safe_load_all((FOLDER / "admission.yaml").read_text()))
    rules = [rule.get("message", NOT_AN_ACT) for rule in policy["spec"]["validations"]]
    tested = {NOT_AN_ACT if words.startswith(NOT_AN_ACT) else words for _, words in DENIED.values()}
    tested |= {words for _, _, words in REFUSED.values()}
    assert set(rules) - tested == {AGENT, NODE_PROTECTED}  # test_lists.py has these
    assert len(set(rules)) == len(rules)


K, R = "K" * 43, request_argument(LookRequest(args=("/tmp/kworkerd", "\u202e" * 20), pids=(43,)))
MADE = {
    "cut": (Role.CUT, "", cut_arguments(K), {}),
    "look": (Role.LOOK, "web", look_arguments(K, R), {}),
    "look that freezes": (Role.LOOK, "web", look_arguments(K, R, freeze=True), {}),
    "freeze": (Role.FREEZE, "web", look_arguments(K, R, freeze=True), {}),
    "freeze on the host's network": (
        Role.LOOK,
        "web",
        look_arguments(K, R, freeze=True, sockets=True),
        {"host_network": True},
    ),
    "thaw": (Role.THAW, "web", thaw_arguments(K, R), {}),
    "own form": (Role.LOOK, "web", look_arguments(K, R), {"as": (1000, 1001), "allowPrivilegeEscalation": False}),
    "own form, confined": (
        Role.LOOK,
        "web",
        look_arguments(K, R, freeze=True),
        {**UNPRIVILEGED, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    ),
}


@pytest.mark.parametrize(("role", "target", "arguments", "given"), MADE.values(), ids=MADE)
def test_what_the_responder_makes_is_admitted(
    debugged: Debugged, role: Role, target: str, arguments: tuple[str, ...], given: Mapping[str, Any]
) -> None:
    """Every form that it may ask for, on condition of the pod's UID: first root's, then the target's own."""
    path = of(debugged, given)
    pod = debugged.admin.get(path)
    forms = [cut_form()] if role is Role.CUT else [*look_forms(pod, "web", network="-sockets" in arguments)]
    made = InsertedContainer(name=container_name(role, CASE), target=target, arguments=arguments)
    assert len(forms) == (1 if role is Role.CUT else 2)
    for form in forms:
        answer = debugged.patch(path, made.patch(COLLECTOR["image"], pod["metadata"]["uid"], form), dryRun="All")
        assert answer.status == (200), answer.body["message"]
