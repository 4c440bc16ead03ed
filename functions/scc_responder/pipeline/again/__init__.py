"""A case opened again, by news or by a sweep, in one order and within one limit; and what a person said before.

Read `unfinished_cases.py` first, then `sweep_work.py`.
"""
