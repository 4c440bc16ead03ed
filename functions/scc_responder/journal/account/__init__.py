"""One case, one account of it: what is known of it, by twelve questions. Pure.

In: the stored record. Out: an `Account`, which outlets render. Read `account.py` first.
"""
