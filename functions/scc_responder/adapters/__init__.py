"""What performs the ports: the only importers of Google, Kubernetes and storage clients.

In: a port's call. Out: its answer, or one of the errors of `domain/errors.py`. Read
`kubernetes/kubernetes_api.py` first.
"""
