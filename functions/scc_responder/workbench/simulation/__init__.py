"""Policies applied to recorded findings.

In: an export of findings, policies, a snapshot. Out: whom they would have touched, and how that differs between two
sets. Read `replay.py` first.
"""
