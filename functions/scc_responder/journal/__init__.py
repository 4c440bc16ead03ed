"""Cases: claimed, written ahead, closed, and the messages about them.

In: a finding's key. Out: a case that one delivery at a time may work on. Read `journal.py` first, then `case.py`.
"""
