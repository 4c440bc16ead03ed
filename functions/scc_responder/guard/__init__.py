"""Only takes away: guardrails, limits, the kill switch, approval.

In: a `Decision`. Out: the same decision with less in it, each step held with its reason. Read `guard.py` first.
"""
