"""The policies that come with the product, and `shipped.yaml`, with which a folder takes them as they are.

shipped:
  version: 0.1.0
  modes:
    isolate-reverse-shell:
      - {mode: approve}
      - {mode: enforce, clusters: [prod-*], share: 5%}

The policies stay in the package: another version brings others, and nothing is merged. `modes` says by name how far
some of them go: everywhere, in some clusters, or in a share of them.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

from msgspec.structs import replace

from scc_responder import __version__
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.mode import Mode, furthest
from scc_responder.domain.value import StrictValue
from scc_responder.policy.limits import Share
from scc_responder.policy.policy_set import SHIPPED_FILE, ClusterMode, Policy, policy_paths, source_paths
from scc_responder.workbench.policy_files.mistakes import Fault, Mistake, expected
from scc_responder.workbench.policy_files.rule_mistakes import share_mistakes, spread
from scc_responder.workbench.policy_files.strict_yaml import read_document

PACK = Path(__file__).parents[2] / "pack"
"""A folder of policies: each with its cases, and the guardrails that teams begin with."""


class Pack(NamedTuple):
    """The shipped policies of one version, and their folder."""

    version: str
    folder: Path


INSTALLED = Pack(__version__, PACK)
"""That of the version that is installed: no other can be deployed."""

_IN_WHEEL = PurePosixPath("scc_responder/pack")
_ALL_CLUSTERS = ("*",)

OTHER_VERSION = "other_version"
_IN_ZIP = "shipped"
"""The folder in a zip's policies that holds those of the package."""


class ShippedMode(StrictValue, frozen=True, kw_only=True):
    """How far a shipped policy goes: in clusters of these names or paths, or everywhere where none is given.

    With a `share`, such as `5%`, in that share of them alone: the same for all policies, and more of it with a larger
    share.
    """

    mode: Mode
    clusters: tuple[str, ...] | None = None
    share: Share | None = None

    @property
    def is_everywhere(self) -> bool:
        """Whether it holds in every cluster, and where none is known."""
        return self.clusters is None and self.share is None

    @property
    def of_clusters(self) -> ClusterMode:
        """The same, with each cluster as a path: all of them where none is given."""
        paths = (
            name if "/" in name else f"projects/*/locations/*/clusters/{name}"
            for name in self.clusters or _ALL_CLUSTERS
        )
        return ClusterMode(mode=self.mode, clusters=tuple(paths), share=self.share)


class ShippedPack(StrictValue, frozen=True, kw_only=True):
    """The version whose policies are taken, and the modes of some of them, by their names."""

    version: str
    modes: dict[str, tuple[ShippedMode, ...]] = {}


class ShippedFile(StrictValue, frozen=True, kw_only=True):
    """`shipped.yaml`."""

    shipped: ShippedPack


def takes_shipped(folder: Path) -> bool:
    """Whether the folder takes the shipped policies."""
    return (folder / SHIPPED_FILE).exists()


@contextmanager
def pack_to_compare_with(folder: Path) -> Iterator[Pack]:
    """The pack that a folder takes: that of another version out of its wheel, in `wheels/` beside the folder.

    The installed one where there is no such wheel. Raises PolicyError for a wheel that cannot be read.
    """
    try:
        version = read_document(folder / SHIPPED_FILE, ShippedFile).shipped.version
    except PolicyError:  # its reader tells why
        version = __version__
    wheel = wheel_beside(folder, version)
    is_there = os.path.isfile(wheel)  # noqa: PTH113 - of a version that no file can have it says no
    if version == __version__ or not is_there:
        yield INSTALLED
        return
    with TemporaryDirectory() as unpacked:
        try:
            with ZipFile(wheel) as found:
                for name in found.namelist():
                    path = PurePosixPath(name)
                    if path.parent == _IN_WHEEL and path.suffix == ".yaml":
                        (Path(unpacked) / path.name).write_bytes(found.read(name))
        except (OSError, BadZipFile, zlib.error) as error:
            raise PolicyError("unreadable_wheel", f"{wheel}: {error}; put the wheel of {version} there") from error
        yield Pack(version, Path(unpacked))


def wheel_beside(folder: Path, version: str) -> Path:
    """Where a repository of policies keeps the wheel of a version."""
    return folder.resolve().parent / "wheels" / f"scc_responder-{PurePosixPath(version).name}-py3-none-any.whl"


def read_shipped(folder: Path, pack: Pack = INSTALLED) -> ShippedFile:
    """What the folder says of the shipped policies. Raises PolicyError with every mistake."""
    return read_document(folder / SHIPPED_FILE, ShippedFile, partial(shipped_mistakes, pack=pack))


def shipped_mistakes(file: ShippedFile, pack: Pack = INSTALLED) -> Iterator[Mistake]:
    """A version that is not installed, names of no shipped policy, and modes that say nothing."""
    version = file.shipped.version
    if version != pack.version:
        text = f"{version!r} is not installed, {__version__} is; install that one, or write {__version__}"
        yield Mistake(path=("shipped", "version"), text=text, reason=OTHER_VERSION)
    known = [path.stem for path in policy_paths(pack.folder)]
    for name, modes in file.shipped.modes.items():
        place = ("shipped", "modes", name)
        if name not in known:
            text = f"no policy of this name is shipped; {expected(name, known)}"
            yield Mistake(path=place, text=text, reason="unknown_policy")
        if not modes:
            yield Mistake(path=place, text="no mode stands here; write one, such as - {mode: approve}")
        for index, one in enumerate(modes):
            if one.share is not None:
                yield from share_mistakes(one.share, (*place, index, "share"))
            if one.clusters == ():
                text = "empty: it would go so far everywhere; name clusters, or remove the word where that is meant"
                yield Mistake(path=(*place, index, "clusters"), text=text)
            for number, pattern in enumerate(one.clusters or ()):
                if not any(len(parts) in {1, 6} for parts in spread(pattern, 6)):
                    text = f"{pattern!r} can never match; write its name, or projects/P/locations/L/clusters/C"
                    yield Mistake(path=(*place, index, "clusters", number), text=text, reason="never_matches")


def with_modes(policy: Policy, modes: Sequence[ShippedMode]) -> Policy:
    """The policy as far as these let it go. Of several that are given for everywhere the furthest holds, too."""
    everywhere = [one.mode for one in modes if one.is_everywhere]
    in_some = tuple(one.of_clusters for one in modes if not one.is_everywhere)
    return replace(policy, mode=furthest(everywhere) if everywhere else policy.mode, modes=in_some or policy.modes)


def name_clashes(folder: Path, pack: Pack = INSTALLED) -> Iterator[Fault]:
    """Policies of the folder that have the name of a shipped one."""
    known = {path.name for path in policy_paths(pack.folder)}
    for path in policy_paths(folder):
        if path.name in known:
            name = path.relative_to(folder).as_posix()
            text = (
                f"{path.stem!r} is the name of a shipped policy; choose another, and disable that one in {SHIPPED_FILE}"
            )
            yield Fault(file=name, line=1, path="name", text=text)


def policy_sources(folder: Path, pack: Pack = INSTALLED) -> Mapping[str, Path]:
    """Every file that a decision depends on, by its name in the zip: the folder's, and those shipped if it takes them.

    In the order of `policy_set.source_paths` of that zip.
    """
    found = {path.relative_to(folder).as_posix(): path for path in source_paths(folder)}
    if not takes_shipped(folder):
        return found
    found |= {f"{_IN_ZIP}/{path.name}": path for path in policy_paths(pack.folder)}
    last = [path.relative_to(folder).as_posix() for path in source_paths(folder) if path not in policy_paths(folder)]
    policies = sorted((name for name in found if name not in last), key=_as_listed)
    return {name: found[name] for name in (*policies, *last)}


def _as_listed(name: str) -> tuple[str, PurePosixPath]:
    path = PurePosixPath(name)
    return path.name, path
