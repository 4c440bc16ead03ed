"""The node's own program is built anew when its source changes, and Calico's one patch is held."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cluster.binaries import BinariesUnavailable, Module, cache_folder
from tests.node import binaries


def test_a_changed_source_is_built_anew(tmp_path: Path) -> None:
    """A program is kept under a name that its source is part of."""
    module = Module(folder=str(tmp_path), linker_flags="", packages={})
    folders = []
    for text in ("package main\n", "package main // changed\n", "package main\n"):
        (tmp_path / "main.go").write_text(text)
        folders.append(cache_folder(os.environ, [module], binaries.KIND))
    assert folders[0] == folders[2] != folders[1]


def test_an_api_module_without_the_type_is_refused() -> None:
    """Another release of Calico's API, which the patch does not fit, is not built as if it did."""
    with pytest.raises(BinariesUnavailable, match="has no `type IptablesBackend string`"):
        binaries.alias("package v3\n")
    assert "type IptablesBackend = string" in binaries.alias("package v3\n\ntype IptablesBackend string\n")
