"""What an edit of policies changes, met by a recorded finding or not, and whether it can let more be done.

In: two sets of policies. Out: every edit by its field. Read `policy_edits.py` first.
"""
