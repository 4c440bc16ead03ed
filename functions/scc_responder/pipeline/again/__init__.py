"""A case that is opened again: what a person said before, what others took away, and what time alone held.

Read `ended_before.py` first.
"""
