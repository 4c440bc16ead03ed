"""The implementations of the ports: only they import Google's, Kubernetes' and storage clients.

In: a port's call. Out: its answer, or one of the errors of `domain/errors.py`. Read
`kubernetes/kubernetes_api.py` first.
"""
