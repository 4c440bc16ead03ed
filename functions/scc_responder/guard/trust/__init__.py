"""Whether a policy may act alone in a place: its first act there that cannot be undone waits.

In: what a policy is about to do. Out: whether it waits, and what it came to. Read `first_shot.py` first.
"""
