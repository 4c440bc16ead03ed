"""Cases under watch: when one is looked at next, and what the looks saw.

In: a case whose threat is contained. Out: when it is due, and the case with one more look. Read `watch.py` first.
"""
