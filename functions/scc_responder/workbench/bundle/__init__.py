"""Whether a copy of stored evidence is what the responder signed, checked offline.

In: a folder and a public key. Out: a report with one finding for whatever is not so. Read `bundle_check.py`.
"""
