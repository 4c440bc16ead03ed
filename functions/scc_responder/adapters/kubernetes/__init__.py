"""The API server of a cluster, however it is reached.

In: paths and bodies. Out: objects, or an error with the API server's reason. Read `kubernetes_api.py` first.
"""
