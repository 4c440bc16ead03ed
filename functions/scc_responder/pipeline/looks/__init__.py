"""Looks at what was contained: is it still so, and what came in its place?

In: Cloud Scheduler's request, each minute. Out: cases with one more look, and those put back that others undid. Read
`look_sweep.py` first.
"""
