"""The `terraform` program: the machine's own if it is new enough, else one built from its published module.

`python -m tests.terraform.program` builds it if need be and prints where it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.cluster.binaries import BinariesUnavailable, Module, programs

OLDEST = (1, 9)
"""Validation that looks at other variables came with it."""

MODULE = Module(
    folder="../terraform/cli", linker_flags="-s -w", packages={"terraform": "github.com/hashicorp/terraform"}
)
REMEDY = "Install Terraform 1.9 or newer, or Go 1.24 or newer to build it: python -m tests.terraform.program"
QUIET = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull, "TF_IN_AUTOMATION": "1"}
"""No look for newer versions, and nothing of the user's own configuration."""


def find(environment: Mapping[str, str] = os.environ) -> Path:
    """The program. Raises BinariesUnavailable."""
    installed = shutil.which("terraform", path=environment.get("PATH", os.defpath))
    if installed and _version(installed) >= OLDEST:
        return Path(installed)
    try:
        return programs(environment, [MODULE], "terraform")["terraform"]
    except BinariesUnavailable as error:
        raise BinariesUnavailable(error.reason, REMEDY) from error


def _version(program: str) -> tuple[int, int]:
    told = subprocess.run(
        [program, "version", "-json"], env={**os.environ, **QUIET}, capture_output=True, text=True, check=False
    )
    try:
        major, minor = json.loads(told.stdout)["terraform_version"].split(".")[:2]
    except (ValueError, KeyError):
        return (0, 0)
    return (int(major), int(minor))


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{find()}\n")
    except BinariesUnavailable as unavailable:
        sys.exit(f"{unavailable.reason}\n{unavailable.remedy}")
