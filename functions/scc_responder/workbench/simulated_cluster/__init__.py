"""A simulated cluster: an HTTP server with the API server's semantics for what the responder uses.

In: requests, as a client of Kubernetes sends them. Out: answers and an audit log. Read `simulated_cluster.py` first.
"""
