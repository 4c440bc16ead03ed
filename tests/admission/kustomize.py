"""As much of `kustomize build` as `terraform/kubernetes` uses: resources, components, replacements, a name suffix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "terraform" / "kubernetes"
LOCAL = "config.kubernetes.io/local-config"
_STEP = re.compile(r"\[(\w+)=([^\]]+)\]|[^.]+")

Manifest = dict[str, Any]


def build(
    identity: Mapping[str, str] = {}, components: Iterable[str] = (), suffix: str = "", folder: Path = FOLDER
) -> list[Manifest]:
    """Everything that would be applied. `identity` stands in for the lines of identity.yaml that are to be edited."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    manifests = _resources(folder, kustomization)
    for component in components:
        manifests += _resources(
            folder / component, yaml.safe_load((folder / component / "kustomization.yaml").read_text())
        )
    source = next(item for item in manifests if item["kind"] == "ConfigMap")
    source["data"] |= identity
    for replacements in kustomization["replacements"]:
        for replacement in yaml.safe_load((folder / replacements["path"]).read_text()):
            _replace(replacement, source, manifests)
    applied = [item for item in manifests if LOCAL not in item["metadata"].get("annotations", {})]
    return [_suffixed(item, suffix) for item in applied]


def _resources(folder: Path, kustomization: Manifest) -> list[Manifest]:
    return [item for name in kustomization["resources"] for item in yaml.safe_load_all((folder / name).read_text())]


def _replace(replacement: Manifest, source: Manifest, manifests: Iterable[Manifest]) -> None:
    value = source["data"][replacement["source"]["fieldPath"].removeprefix("data.")]
    for target in replacement["targets"]:
        for item in manifests:
            if item["kind"] == target["select"]["kind"]:
                for path in target["fieldPaths"]:
                    _set(item, path, value, target.get("options"))


def _set(item: Manifest, path: str, value: str, options: Mapping[str, Any] | None) -> None:
    *steps, last = _STEP.finditer(path)
    holder: Any = item
    for step in steps:
        holder = _into(holder, step)
    key = last[0]
    if options:
        parts = holder[key].split(options["delimiter"])
        parts[options["index"]] = value
        value = options["delimiter"].join(parts)
    holder[key] = value


def _into(holder: Any, step: re.Match[str]) -> Any:
    if step[1]:
        return next(entry for entry in holder if entry[step[1]] == step[2])
    return holder[int(step[0])] if isinstance(holder, list) else holder[step[0]]


def _suffixed(item: Manifest, suffix: str) -> Manifest:
    """The manifest under another name, which kustomize's `nameSuffix` gives it and whatever refers to it."""
    item["metadata"]["name"] += suffix
    if "roleRef" in item:
        item["roleRef"]["name"] += suffix
    if "policyName" in item.get("spec", {}):
        item["spec"]["policyName"] += suffix
    return item


def of_kind(manifests: Iterable[Manifest], kind: str) -> Sequence[Manifest]:
    """Those of one kind."""
    return [item for item in manifests if item["kind"] == kind]
