"""Local replacements on one machine: cases in SQLite, findings in files.

In: a port's call. Out: what the local file says. Read `sqlite_store.py` first.
"""
