"""A simulated Cloud Run: a gRPC server with the semantics of the Admin API v2 for what the responder uses.

In: requests, as Google's client sends them. Out: answers, and what was written. Read `run_world.py` first.
"""
