"""Clusters of Google Kubernetes Engine: what each is, and the ways to its API server.

In: a cluster's path. Out: a `Cluster`, a connection. Read `gke_clusters.py` first.
"""
