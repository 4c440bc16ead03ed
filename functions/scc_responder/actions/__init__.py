"""The actions a policy may ask for: one file each, found by file name. An action plans, it does not act.

In: a `Context` and the step's parameters. Out: changes, or why there are none. Read `contract.py` first.
"""
