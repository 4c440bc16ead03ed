"""What holds of a folder of policies for every finding and target that there may be, not for recorded ones alone.

In: one set of policies, or two. Out: what may happen that must not, and what a change adds or takes away, each with a
finding and a target that show it. Read `situations.py` first.
"""
