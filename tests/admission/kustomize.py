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
    identity: Mapping[str, str] = {},
    components: Iterable[str] = (),
    suffix: str = "",
    folder: Path = FOLDER,
    collector: Mapping[str, str] = {},
) -> list[Manifest]:
    """Everything that would be applied.

    `identity` stands in for the lines of identity.yaml that are to be edited, `collector` for those of
    forensic/collector.yaml.
    """
    read = [(folder / name, _kustomization(folder / name)) for name in (".", *components)]
    manifests = [item for place, kustomization in read for item in _resources(place, kustomization)]
    for name, edited in (("scc-responder-identity", identity), ("scc-responder-collector", collector)):
        for source in _named(manifests, "ConfigMap", name):
            source["data"] |= edited
    for place, kustomization in reversed(read):
        for replacements in kustomization.get("replacements", ()):
            for replacement in yaml.safe_load((place / replacements["path"]).read_text()):
                _replace(replacement, manifests)
    applied = [item for item in manifests if LOCAL not in item["metadata"].get("annotations", {})]
    return [_suffixed(item, suffix) for item in applied]


def _kustomization(folder: Path) -> Manifest:
    return dict(yaml.safe_load((folder / "kustomization.yaml").read_text()))


def _named(manifests: Iterable[Manifest], kind: str, name: str) -> Iterable[Manifest]:
    """Those of one kind, and of this name if it is not empty."""
    return (item for item in manifests if item["kind"] == kind and name in {"", item["metadata"]["name"]})


def _resources(folder: Path, kustomization: Manifest) -> list[Manifest]:
    return [item for name in kustomization["resources"] for item in yaml.safe_load_all((folder / name).read_text())]


def _replace(replacement: Manifest, manifests: Sequence[Manifest]) -> None:
    given = replacement["source"]
    source = next(iter(_named(manifests, given["kind"], given["name"])))
    value = source["data"][given["fieldPath"].removeprefix("data.")]
    for target in replacement["targets"]:
        for item in _named(manifests, target["select"]["kind"], target["select"].get("name", "")):
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
