"""Cases in Firestore.

In: keys and documents. Out: compare-and-set over Firestore's preconditions. Read `firestore_store.py` first.
"""
