"""What a person takes back of a case: what stands, its inverses, carried out by the identity of undo.

In: a case, the cases of its pod, and a store. Out: an outcome for each step. Read first: `taken_back.py`. The function
reaches none of it.
"""
