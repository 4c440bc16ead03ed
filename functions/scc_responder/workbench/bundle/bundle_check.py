"""Check a case's folder: what its signed manifests name is there, whole, and nothing else is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from scc_responder.domain.errors import SettingsError
from scc_responder.execute.evidence.manifest import Part
from scc_responder.workbench.bundle.bundle_manifests import BundleManifests, VerifyingKey
from scc_responder.workbench.bundle.bundle_report import BundleFault, BundleFinding, BundleReport, ListedObject

_CASE = re.compile(r"[0-9a-f]{12}", re.ASCII)
_OF_CUSTODY = ("manifest-", "signature-")


def case_folder(bundle: Path, case: str) -> Path:
    """The folder of a case in a copy of all evidence, or that folder itself. Raises SettingsError."""
    if not _CASE.fullmatch(case):
        raise SettingsError("invalid_case", f"{case[:40]!a} is no case: give the 12 digits of its id")
    inside = [bundle / "cases" / case, bundle / case, *bundle.glob(f"*/cases/{case}")]
    for folder in (*inside, bundle):
        if folder.is_dir() and (folder.name == case or any(folder.glob("manifest-*.json"))):
            return folder
    raise SettingsError("no_bundle", f"{bundle}: no folder of the case {case}, nor one with a manifest, is in it")


def check_bundle(folder: Path, case: str, key: VerifyingKey | None) -> BundleReport:
    """Check the folder of one case. Without a key nothing is verified. Raises OSError for what cannot be read."""
    return _CaseFolder(folder, case).report(key)


class _CaseFolder:
    """The files of one case while they are checked. Names are those below the folder."""

    def __init__(self, folder: Path, case: str) -> None:
        self._folder = folder
        self._case = case
        paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
        self._files = {path.relative_to(folder).as_posix() for path in paths}
        self._findings: list[BundleFinding] = []

    def report(self, key: VerifyingKey | None) -> BundleReport:
        """Look at every file."""
        signed = {file: self._content(file) for file in self._files if file.startswith(_OF_CUSTODY)}
        manifests = BundleManifests(self._case, signed, key)
        listed = [item for each in manifests.counting() for item in each.says.objects]
        objects = {item.name: item for item in listed}
        whole = {name for name, item in objects.items() if self._is_whole(item)}
        self._join(listed, whole)
        for file in sorted(self._files - manifests.known - {self._file(name) for name in objects}):
            self._find(BundleFault.OBJECT_ADDED, file, "no manifest that counts names it")
        return BundleReport(
            case=self._case,
            manifests=manifests.manifests,
            objects=len(whole),
            findings=tuple(dict.fromkeys((*manifests.findings, *self._findings))),
        )

    def _find(self, fault: BundleFault, file: str, why: str) -> None:
        self._findings.append(BundleFinding(fault=fault, file=file, why=why))

    def _file(self, name: str) -> str:
        """The file of an object; what is not of this case, or no plain name, is no file here."""
        return name.removeprefix(f"cases/{self._case}/")

    def _content(self, file: str) -> bytes | None:
        """A plain file's content. A link could lead anywhere, now or later."""
        path = self._folder / file
        is_plain = file in self._files and path.is_file() and not path.is_symlink()
        return path.read_bytes() if is_plain else None

    def _is_whole(self, item: ListedObject) -> bool:
        """Whether the object is there as its manifest lists it; else that is a finding."""
        file = self._file(item.name)
        content = self._content(file)
        if content is None:
            self._find(BundleFault.OBJECT_MISSING, file, "it is not there as a plain file")
        elif len(content) != item.size:
            self._find(BundleFault.OBJECT_LENGTH_DIFFERS, file, f"{len(content)} bytes, not {item.size}")
        elif hashlib.sha256(content).hexdigest() != item.sha256:
            self._find(BundleFault.OBJECT_CHANGED, file, f"its SHA-256 is not {item.sha256[:64]}")
        else:
            return True
        return False

    def _join(self, objects: Iterable[ListedObject], whole: set[str]) -> None:
        """Put what is stored in parts together again, with one part in memory at a time."""
        artefacts: dict[Part, dict[int, str]] = {}
        for item in objects:
            if item.part:
                artefact = msgspec.structs.replace(item.part, number=0)
                artefacts.setdefault(artefact, {})[item.part.number] = item.name
        for artefact, names in artefacts.items():
            if len(names) != artefact.count or sorted(names) != list(range(len(names))):
                self._find(BundleFault.PART_MISSING, artefact.of, f"{len(names)} of {artefact.count} parts are listed")
            elif not whole.issuperset(names.values()):
                self._find(BundleFault.PART_MISSING, artefact.of, "a part is missing or was changed")
            elif self._joined([names[number] for number in sorted(names)]) != (artefact.of, artefact.size):
                self._find(BundleFault.PARTS_DIFFER, artefact.of, "the parts put together are another content")

    def _joined(self, names: Iterable[str]) -> tuple[str, int]:
        """SHA-256 and length of the parts put together."""
        digest, size = hashlib.sha256(), 0
        for name in names:
            content = self._content(self._file(name)) or b""
            digest.update(content)
            size += len(content)
        return digest.hexdigest(), size
