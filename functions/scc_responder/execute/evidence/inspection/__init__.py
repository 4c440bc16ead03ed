"""A look into a container, as evidence: documents without secrets, files as they are, and the facts that follow.

In: the frames of a collector, as they come. Out: stored objects, a manifest, and an `Inspection` for the case. Read
`keeping.py` first.
"""
