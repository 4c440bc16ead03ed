"""How deeply an object of an API server may be nested. Whoever makes an object in a cluster chooses its depth. Pure.

Who goes through an object goes down by itself with each level: too many levels end with an error in the middle of a
case. The decoder's own bound is where that error would be.
"""

from __future__ import annotations

from typing import Any

MOST_LEVELS = 100
"""Kubernetes' own objects have about 20."""


def is_too_deep(document: Any) -> bool:
    """Whether decoded JSON has more levels than an API server's objects have.

    >>> is_too_deep({"a": [1]}), is_too_deep([[]])
    (False, False)
    """
    level = [document]
    for _ in range(MOST_LEVELS):
        level = [child for each in level for child in _children(each) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
