"""JSON as a person reads it: what fits on a line stands on one line."""

from __future__ import annotations

import json
from typing import Any

WIDTH = 120


def laid_out(value: Any) -> str:
    """The value as JSON text that ends with a newline."""
    return _laid_out(value, 0, 0) + "\n"


def _laid_out(value: Any, indent: int, used: int) -> str:
    flat = json.dumps(value, ensure_ascii=True)
    if not isinstance(value, dict | list) or not value:
        return flat
    if len(flat) + indent + used <= WIDTH and indent > 0:
        return flat
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        keys = {key: f"{json.dumps(key)}: " for key in value}
        lines = [f"{inner}{keys[key]}{_laid_out(item, indent + 2, len(keys[key]))}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    lines = [f"{inner}{_laid_out(item, indent + 2, 0)}" for item in value]
    return "[\n" + ",\n".join(lines) + "\n" + " " * indent + "]"
