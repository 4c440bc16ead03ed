"""A control plane to play with: `python -m tests.cluster.run` (or `make cluster`) runs one until Ctrl-C.

It has a namespace `shop` with a Deployment and a pod that belongs to nothing, on two nodes. The tests use it instead
of one of their own where SCC_RESPONDER_TEST_KUBECONFIG names its kubeconfig.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence

from tests.cluster import binaries, control_plane, given, objects
from tests.cluster.client import ClusterClient
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until

NAMESPACE = "shop"
NODES = {"gke-shop-default-pool-1": "europe-west1-b", "gke-shop-default-pool-2": "europe-west1-c"}

HINTS = """
A Kubernetes API server with controllers; its nodes and pods are played by kwok.

  export KUBECONFIG={kubeconfig}
  kubectl --context admin get nodes,pods -A            may do everything
  kubectl --context responder -n {namespace} get pod NAME    may do what the responder may
  kubectl --context reader ..., --context powerless ...

  audit log   {audit_log}
  tests       {variable}={kubeconfig} make test

Ctrl-C ends it.
"""


def furnish(client: ClusterClient) -> None:
    """Put two nodes, a namespace, a Deployment of two pods and a pod without owner into an empty cluster."""
    client.create(objects.namespace(NAMESPACE))
    for number, (name, zone) in enumerate(NODES.items(), start=1):
        client.create(objects.node(name, zone=zone, instance_id=f"471100000000000000{number}"))
    account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
    wait_until(lambda: client.send("GET", account).status == 200, what="the default service account")
    first, second = NODES
    client.create(objects.deployment("web", NAMESPACE, first, replicas=2))
    client.create(objects.pod("debug", NAMESPACE, second))
    objects.running_pods(client, NAMESPACE, "web", count=2)
    objects.running_pods(client, NAMESPACE, "debug")


def hints(plane: ControlPlane) -> str:
    """What a person is told who has just started `plane`."""
    audit_log = plane.kubeconfig.with_name("audit.log")
    return HINTS.format(kubeconfig=plane.kubeconfig, namespace=NAMESPACE, audit_log=audit_log, variable=given.VARIABLE)


def main(arguments: Sequence[str]) -> None:
    """Run one until SIGINT or SIGTERM."""
    if arguments:
        sys.exit(__doc__)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with control_plane.running(binaries.programs()) as plane:
        furnish(plane.admin)
        sys.stdout.write(hints(plane))
        sys.stdout.flush()
        stopping.wait()
        sys.stdout.write("ending\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except binaries.BinariesUnavailable as error:
        sys.exit(f"{error.reason}\n{error.remedy}")
