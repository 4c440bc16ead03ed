"""The API server of the simulated cluster: from a request's bytes to its answer.

In: one HTTP request. Out: an object, a list, or a `metav1.Status`. Read `request.py` first.
"""
