"""The programs of the real node that are built from their modules: kubelet, Calico, and what runs in its pods.

`python -m tests.node.binaries` builds what is missing and prints the folder of Calico's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.binaries import STRIPPED, BinariesUnavailable, Module, kubernetes_stamps

HERE = Path(__file__).parent
KIND = "node"
KUBELET = Module(
    folder=str(HERE / "kubelet"),
    linker_flags=kubernetes_stamps(),
    packages={"kubelet": "k8s.io/kubernetes/cmd/kubelet"},
)
WORKLOAD = Module(
    folder=str(HERE / "workload"),
    linker_flags=STRIPPED,
    packages={"workload": "example.com/scc-responder/workload"},
)
CALICO = Module(
    folder=str(HERE / "calico"),
    linker_flags=STRIPPED,
    packages={
        "calico": "github.com/projectcalico/calico/cni-plugin/cmd/calico",
        "calico-felix": "github.com/projectcalico/calico/felix/cmd/calico-felix",
    },
)
CALICO_API = "github.com/projectcalico/api@v0.0.0-20241106234619-d6b63b533e68"
"""The release that Calico names has no version of its own; this one differs from it in one type."""
CRDS = "crds"


def programs(environment: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """The paths of `kubelet`, `workload`, `calico`, `calico-felix` and `crds`. Raises BinariesUnavailable."""
    folder = binaries.cache_folder(environment, [CALICO], KIND)
    if not all((folder / name).exists() for name in [*CALICO.packages, CRDS]):
        _build_calico(folder, environment)
    found = {name: folder / name for name in [*CALICO.packages, CRDS]}
    return found | _built(KUBELET, environment) | _built(WORKLOAD, environment)


def _built(module: Module, environment: Mapping[str, str]) -> dict[str, Path]:
    return binaries.programs(environment, [module], KIND)


def _build_calico(folder: Path, environment: Mapping[str, str]) -> None:
    """Build it beside a copy of its API module, which its go.mod looks for there."""
    folder.mkdir(parents=True, exist_ok=True)
    go = binaries.find_go(CALICO, environment)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".source-") as scratch:
        source = Path(scratch)
        for name in ("go.mod", "go.sum"):
            shutil.copy(HERE / "calico" / name, source / name)
        _copy_api(source / "api", go, environment)
        _built(Module(folder=scratch, linker_flags=CALICO.linker_flags, packages=CALICO.packages), environment)
        module = _go(go, "list", "-m", "-f", "{{.Dir}}", "github.com/projectcalico/calico", cwd=source)
        crds = source / CRDS
        shutil.copytree(Path(module.strip()) / "libcalico-go/config/crd", crds, copy_function=shutil.copyfile)
        crds.chmod(0o755)
        if not (folder / CRDS).exists():
            crds.replace(folder / CRDS)


def _copy_api(target: Path, go: str, environment: Mapping[str, str]) -> None:
    found = json.loads(_go(go, "mod", "download", "-json", CALICO_API, cwd=Path("/")))
    for name in ("go.mod", "pkg"):
        source = Path(found["Dir"]) / name
        if source.is_dir():
            shutil.copytree(source, target / name, copy_function=shutil.copyfile)
        else:
            target.mkdir()
            shutil.copyfile(source, target / name)
    patched = target / "pkg/apis/projectcalico/v3/felixconfig.go"
    patched.write_text(alias(patched.read_text()))


def alias(source: str) -> str:
    """The source with the one type as Calico wants it. Raises BinariesUnavailable."""
    old = "type IptablesBackend string"
    text, count = re.subn(rf"^{old}$", old.replace(" string", " = string"), source, flags=re.MULTILINE)
    if count != 1:
        raise BinariesUnavailable(f"{CALICO_API} has no `{old}`", "Look at its release notes.")
    return text


def _go(go: str, *arguments: str, cwd: Path) -> str:
    settings = {**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off"}
    answer = subprocess.run([go, *arguments], cwd=cwd, env=settings, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise BinariesUnavailable(
            f"go {arguments[0]} failed: {answer.stderr.strip()}", "Look at the network and its proxy."
        )
    return answer.stdout


if __name__ == "__main__":
    try:
        for _name, _path in sorted(programs().items()):
            sys.stderr.write(f"node: {_name}: {_path}\n")
    except BinariesUnavailable as error:
        sys.exit(f"{error.reason}\n{error.remedy}")
