"""A closed case that is opened again: what of it is kept, and what stood.

In: a closed case, and who opens it. Out: the case to work on. Read `reopening.py` first.
"""
