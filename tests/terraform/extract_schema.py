"""Make the schemas in `schema/` anew: `python -m tests.terraform.extract_schema`. It needs npm and its registry.

The prebuilt CDK for Terraform bindings say of every argument of Google's provider whether it is a block, its type, and
whether it must, may or cannot be given: what `terraform validate` and `terraform test` with mocked providers ask of a
provider. The committed file holds the types that this repository uses, as arguments alone, without documentation.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

VERSION = "16.12.1"
PROVIDER_VERSION = "6.50.0"
HERE = Path(__file__).parent
MODULE = HERE.parents[1] / "terraform"
CONSOLE = MODULE / "console"
"""The one folder that uses google-beta, and nothing else."""
ALSO = ("google_project_iam_binding", "google_project_iam_policy", "google_pubsub_topic_iam_binding")
"""Types that the module must not use: the tests that say so have to know them."""

Block = dict[str, Any]

_ATTRIBUTE = re.compile(
    r"(?P<name>\w+): \{\s*value: (?P<value>.*?),\s*isBlock: (?P<block>true|false),\s*type: \"(?P<kind>\w+)\","
    r"\s*storageClassType: \"(?P<storage>\w+)\",\s*\}",
    re.DOTALL,
)
_RESULT = re.compile(
    r"// (?P<name>\w+) - computed: true, optional: false, required: false"
    r"\s+(?P<code>(?:get \w+\(\) \{\s*return )?.*?;)",
    re.DOTALL,
)
_FILLED_IN = frozenset({"id", "project"})
"""Arguments that the provider fills in where they are not given."""

_SCALARS = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
_GETTERS = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "Fn.tolist": ["set", "string"],
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "StringMap(": ["map", "string"],
    "BooleanMap(": ["map", "bool"],
}


class Provider(NamedTuple):
    """A provider, and what is taken of it: the types that `folders` use, and `also`. Its package has a prefix."""

    name: str
    prefix: str
    is_beta: bool
    also: tuple[str, ...]

    @property
    def schema(self) -> Path:
        """The committed file."""
        return HERE / "schema" / f"{self.name}.json"

    @property
    def used(self) -> dict[str, set[str]]:
        """The types that this repository uses of it."""
        return used_types(path for path in MODULE.rglob("*.tf") if path.is_relative_to(CONSOLE) is self.is_beta)


GOOGLE = Provider("google", "", is_beta=False, also=ALSO)
GOOGLE_BETA = Provider("google-beta", "google-", is_beta=True, also=())


def used_types(files: Iterable[Path]) -> dict[str, set[str]]:
    """The resource and data source types that configurations name."""
    text = "\n".join(path.read_text() for path in sorted(files))
    return {kind: set(re.findall(rf'^{kind} "(google_\w+)"', text, re.MULTILINE)) for kind in ("resource", "data")}


class Binding:
    """The JavaScript and the declarations of one resource type, data source or provider configuration."""

    def __init__(self, source: str, declarations: str) -> None:
        self.source = source
        self.declarations = declarations

    def schema(self) -> Block:
        """Its arguments and results."""
        attributes = self._between("    synthesizeHclAttributes() {", "\n    }")
        start = self.source.rindex("\nclass ", 0, self.source.index("    synthesizeHclAttributes() {"))
        config = re.search(r"export interface (\w+Config) extends", self.declarations)
        return self._block(attributes, self.source[start:], config[1] if config else "GoogleProviderConfig")

    def _block(self, attributes: str, owner: str, interface: str) -> Block:
        required = self._required(interface)
        block: Block = {"attributes": {}, "blocks": {}}
        for match in _ATTRIBUTE.finditer(attributes):
            name = match["name"]
            if match["block"] == "true":
                block["blocks"][name] = {**self._nested(match), "min": int(_camel(name) in required)}
            else:
                flag = "r" if _camel(name) in required else "oc" if name in _FILLED_IN else "o"
                block["attributes"][name] = [_argument(match), flag]
        for result in _RESULT.finditer(owner):
            if result["name"] not in block["attributes"]:
                block["attributes"][result["name"]] = [self._result(result["code"]), "c"]
        return block

    def _required(self, interface: str) -> set[str]:
        """The properties of an interface that must be given, in camelCase."""
        body = re.search(rf"export interface {interface}\b.*?\n}}", self.declarations, re.DOTALL)
        return set(re.findall(r"^    readonly (\w+):", body[0], re.MULTILINE)) if body else set()

    def _nested(self, match: re.Match[str]) -> Block:
        function = re.search(r"(\w+)ToHclTerraform[(,)]", match["value"])
        assert function, f"no struct function for block {match['name']}"
        struct = function[1][0].upper() + function[1][1:]
        attributes = self._between(f"function {function[1]}ToHclTerraform(struct) {{", "\n}")
        nested = self._block(attributes, self._class(f"{struct}OutputReference"), struct)
        single = match["kind"] == "struct"
        nested["nesting"] = "single" if single else match["kind"]
        nested["max"] = 0 if self._class(f"{struct}List") or single else 1
        return nested

    def _result(self, code: str) -> Any:
        """The type of what only the provider says."""
        for getter, kind in _GETTERS.items():
            if getter in code:
                return kind
        listed = re.search(r"new (\w+)List\(this, \"\w+\", (true|false)\)", code)
        assert listed, f"not understood: {code[:120]}"
        owner = self._class(f"{listed[1]}OutputReference")
        fields = {result["name"]: self._result(result["code"]) for result in _RESULT.finditer(owner)}
        return ["set" if listed[2] == "true" else "list", ["object", fields]]

    def _class(self, name: str) -> str:
        """The code of a class, empty where there is none of that name."""
        found = re.search(rf"\nclass {name} .*?\n}}\n", self.source, re.DOTALL)
        return found[0] if found else ""

    def _between(self, start: str, end: str) -> str:
        first = self.source.index(start)
        return self.source[first : self.source.index(end, first)]


def _argument(match: re.Match[str]) -> Any:
    storage, kind = match["storage"], match["kind"]
    if storage in _SCALARS:
        return _SCALARS[storage]
    if storage.endswith("Map"):
        return ["map", _SCALARS[storage.removesuffix("Map")]]
    assert storage.endswith("List"), f"{match['name']}: unknown type {storage}"
    return [kind, _SCALARS[storage.removesuffix("List")]]


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def extract(package: Path, provider: Provider) -> dict[str, Any]:
    """The schema of what is used of a provider, in its package from npm."""
    used = provider.used
    with tarfile.open(package) as archive:

        def binding(folder: str) -> Block:
            return Binding(
                _text(archive, f"lib/{folder}/index.js"), _text(archive, f"lib/{folder}/index.d.ts")
            ).schema()

        return {
            "notice": (
                f"Arguments of hashicorp/{provider.name} {PROVIDER_VERSION}, taken from the npm package "
                f"{_package(provider)} {VERSION}, Copyright (c) HashiCorp, "
                "Inc., Mozilla Public License 2.0 (LICENSE beside this file). Made by extract_schema.py."
            ),
            "provider": binding("provider"),
            "resources": {
                name: binding(f"{provider.prefix}{_folder(name)}")
                for name in sorted(used["resource"] | {*provider.also})
            },
            "data": {name: binding(f"data-google-{_folder(name)}") for name in sorted(used["data"])},
        }


def _text(archive: tarfile.TarFile, name: str) -> str:
    member = archive.extractfile(f"package/{name}")
    assert member is not None
    return member.read().decode()


def _folder(name: str) -> str:
    return name.removeprefix("google_").replace("_", "-")


def _package(provider: Provider) -> str:
    return f"@cdktf/provider-{provider.name}"


def main() -> int:
    """Fetch the packages with npm and write the schemas."""
    for provider in (GOOGLE, GOOGLE_BETA):
        with tempfile.TemporaryDirectory() as scratch:
            npm = ["npm", "pack", "--silent", f"{_package(provider)}@{VERSION}"]
            packed = subprocess.run(npm, cwd=scratch, check=True, capture_output=True, text=True).stdout.split()[-1]
            found = extract(Path(scratch) / packed, provider)
            with tarfile.open(Path(scratch) / packed) as archive:
                (provider.schema.parent / "LICENSE").write_text(_text(archive, "LICENSE"))
        provider.schema.write_text(json.dumps(found, separators=(",", ":"), sort_keys=True) + "\n")
        size = provider.schema.stat().st_size // 1024
        sys.stdout.write(f"{provider.schema}: {len(found['resources'])} resource types, {size} KiB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
