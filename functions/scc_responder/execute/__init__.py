"""Carries a guarded decision out: per change reserve, probe, intent, one request, verification, outcome.

In: a `Decision` and a claimed case. Out: the steps, as they ended. Read `execute.py` first, then `gate.py`.
"""
