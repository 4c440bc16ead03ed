"""One spelling for one content, so that equal content has equal hashes."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def canonical_json(content: Any) -> bytes:
    """Keys sorted, ASCII alone: no terminal or page acts on what is inside."""
    plain = msgspec.to_builtins(content)
    return json.dumps(plain, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
