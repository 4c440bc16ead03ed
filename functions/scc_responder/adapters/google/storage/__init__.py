"""Evidence in Cloud Storage, or in a local folder: create-only.

In: names and bytes. Out: what is kept. Read `evidence_store.py` first.
"""
