"""How people and accounts are named where they are compared: by e-mail address, without the prefixes of IAM.

Source: Cloud IAM, "Principal identifiers"; Cloud Audit Logs, `authenticationInfo`.
"""

from __future__ import annotations

import re

_ONE = ("user:", "serviceaccount:")
"""Prefixes that IAM puts before one account."""
_MANY = (
    "group:",
    "domain:",
    "principalset:",
    "projectowner:",
    "projecteditor:",
    "projectviewer:",
    "allusers",
    "allauthenticatedusers",
)
_ADDRESS = re.compile(r"[^\s@:/*?,;<>]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)
_ADDRESSES = re.compile(r"[^\s@]*@[A-Za-z0-9.*?-]+", re.ASCII)
_SAY = "write an e-mail address, *@example.com, or a principal:// name"


def principal_mistake(pattern: str) -> str:
    """Why the pattern fits nobody that a finding names; empty where it may fit."""
    return _of_iam(pattern, "a finding names the one who did it") or (
        "" if _may_be_principal(pattern) else f"{pattern!r} can never match; {_SAY}"
    )


def approver_mistake(approver: str) -> str:
    """Why nobody can approve by this entry; empty where somebody may."""
    told = _of_iam(approver, "one person answers, by an e-mail address")
    if told:
        return told
    if "*" in approver or "?" in approver:
        return f"{approver!r} is nobody: patterns are not read here; list each person's e-mail address"
    return "" if _ADDRESS.fullmatch(approver) else f"{approver!r} is nobody; write an e-mail address"


def _of_iam(text: str, why: str) -> str:
    folded = text.casefold()
    if folded.startswith("deleted:"):
        return f"{text!r} can never match: the account is gone; remove it"
    one = next((prefix for prefix in _ONE if folded.startswith(prefix)), "")
    if one:
        return f"{text!r} can never match; names stand here without the prefix of IAM: write {text[len(one) :]!r}"
    many = next((prefix for prefix in _MANY if folded.startswith(prefix)), "")
    if many:
        return f"{text!r} can never match: {why}, never {many.rstrip(':')}; list them one by one"
    return ""


def _may_be_principal(pattern: str) -> bool:
    if re.search(r"\s", pattern):
        return False
    if "@" not in pattern or "://" in pattern:
        return True  # `system:node:...`, `principal://...`: Kubernetes and workforce pools choose these names
    return bool(_ADDRESSES.fullmatch(pattern)) and pattern.rpartition("@")[2].strip(".") == pattern.rpartition("@")[2]
