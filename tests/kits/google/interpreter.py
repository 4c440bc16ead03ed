"""Python processes of their own: what is imported in the test's process would prove nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

FUNCTIONS = Path(__file__).parents[3] / "functions"


def in_fresh_interpreter(script: str, path: Path | None = None) -> Any:
    """What the script prints, as JSON. `path`: another folder to import from."""
    python_path = os.pathsep.join(str(folder) for folder in (FUNCTIONS, path) if folder)
    environment = {**os.environ, "PYTHONPATH": python_path}
    command = [sys.executable, "-W", "error", "-c", script]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
