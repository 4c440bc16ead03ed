"""Patterns as people write them in policies: `*` and `?` within one path segment."""

from __future__ import annotations

from fnmatch import fnmatchcase


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits the pattern. `*` stands for any characters but `/`, `?` for one.

    >>> matches("gke-*", "gke-managed-system"), matches("projects/*/clusters/c", "projects/a/b/clusters/c")
    (True, False)
    """
    if pattern == text or ("*" not in pattern and "?" not in pattern):
        return pattern == text
    patterns, parts = pattern.replace("[", "[[]").split("/"), text.split("/")
    return len(patterns) == len(parts) and all(map(fnmatchcase, parts, patterns))
