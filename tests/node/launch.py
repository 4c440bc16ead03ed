"""The files and command lines of the real node's programs; those of the control plane are `tests.cluster.launch`'s."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from tests.cluster.state import Identity
from tests.node import images, packages

NODE = "gke-shop-default-pool-real"
NODE_ADDRESS = "198.51.100.1"
OUTSIDE_ADDRESS = "198.51.100.10"
OUTSIDE = f"{OUTSIDE_ADDRESS}:9000"
PODS = "10.213.0.0/24"
IDENTITIES = {
    "kubelet": Identity(user=f"system:node:{NODE}", groups=("system:nodes",)),
    "calico": Identity(user="calico", groups=("system:masters",)),
}
SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What kubelet sets for the whole machine: within the node plain files stand in their place."""
_LABELS = {
    "cloud.google.com/gke-nodepool": "default-pool",
    "topology.kubernetes.io/region": "europe-west1",
    "topology.kubernetes.io/zone": "europe-west1-b",
}
_SOCKET = "/run/containerd/containerd.sock"


def write_files(folder: Path, built: Mapping[str, Path]) -> None:
    """The settings of containerd, kubelet and the network plugins, and the images."""
    for name in ("cni", "cni-bin", "images", "registry"):
        (folder / name).mkdir()
    for plugin in ("host-local", "loopback"):
        (folder / "cni-bin" / plugin).symlink_to(packages.PLUGINS / plugin)
    (folder / "cni-bin" / "calico").symlink_to(built["calico"])
    # Before containerd starts: version 1.6 overlooks a file that comes later.
    (folder / "cni" / "10-calico.conflist").write_text(json.dumps(_network(folder)))
    (folder / "containerd.toml").write_text(_containerd(folder))
    (folder / "resolv.conf").touch()
    (folder / "kubelet.yaml").write_text(yaml.safe_dump(_kubelet(folder)))
    images.write_image(folder / "images" / "pause.tar", images.PAUSE, built["workload"], ["pause"])
    images.write_image(folder / "images" / "workload.tar", images.WORKLOAD, built["workload"], ["threat"])
    for number, value in enumerate(SYSCTLS.values()):
        (folder / f"sysctl-{number}").write_text(f"{value}\n")


def _network(folder: Path) -> object:
    calico = {
        "type": "calico",
        "datastore_type": "kubernetes",
        "nodename": NODE,
        "nodename_file_optional": True,
        "ipam": {"type": "host-local", "subnet": PODS},
        "policy": {"type": "k8s"},
        "kubernetes": {"kubeconfig": str(folder / "calico.kubeconfig")},
    }
    return {"cniVersion": "0.3.1", "name": "pods", "plugins": [calico]}


def _containerd(folder: Path) -> str:
    plugin = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "{folder / "containerd"}"
state = "/run/containerd"
[grpc]
  address = "{_SOCKET}"
[{plugin}]
  sandbox_image = "{images.PAUSE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [{plugin}.cni]
    bin_dir = "{folder / "cni-bin"}"
    conf_dir = "{folder / "cni"}"
  [{plugin}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


def _kubelet(folder: Path) -> object:
    """Nothing is evicted and no image removed, however full this machine is. Only the node itself reaches the port."""
    least = dict.fromkeys(("memory.available", "nodefs.available", "imagefs.available"), "10Mi")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "containerRuntimeEndpoint": f"unix://{_SOCKET}",
        "evictionHard": least,
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "nodeStatusUpdateFrequency": "4s",
        "providerID": f"gce://example-project/europe-west1-b/{NODE}",
        "resolvConf": str(folder / "resolv.conf"),
        "volumePluginDir": "/var/lib/kubelet/plugins",
    }


def containerd(folder: Path) -> Sequence[str]:
    """The container runtime."""
    return (f"--config={folder / 'containerd.toml'}",)


def kubelet(folder: Path) -> Sequence[str]:
    """The node agent, under a name like those of GKE."""
    labels = ",".join(f"{key}={value}" for key, value in _LABELS.items())
    return (
        f"--config={folder / 'kubelet.yaml'}",
        f"--kubeconfig={folder / 'kubelet.kubeconfig'}",
        f"--hostname-override={NODE}",
        f"--node-ip={NODE_ADDRESS}",
        f"--node-labels={labels}",
    )


def felix(folder: Path) -> Mapping[str, str]:
    """The settings of Calico's agent, which makes network policies firewall rules."""
    settings = {
        "datastoretype": "kubernetes",
        "defaultendpointtohostaction": "ACCEPT",
        "felixhostname": NODE,
        "healthenabled": "true",
        "interfaceprefix": "cali",
        "iptablesbackend": "NFT",
        "ipv6support": "false",
        "bpfconnecttimeloadbalancing": "Disabled",
        "logfilepath": "none",
        "logseverityfile": "none",
        "logseveritysys": "none",
        "usagereportingenabled": "false",
    }
    named = {f"FELIX_{key.upper()}": value for key, value in settings.items()}
    return {**named, "KUBECONFIG": str(folder / "calico.kubeconfig")}
