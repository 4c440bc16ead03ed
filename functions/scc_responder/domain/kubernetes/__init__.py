"""What is known of the Kubernetes API without asking it: paths, selectors, and how a change is tried again.

In: names and objects. Out: paths, matches, one settled outcome for each change. Read `api_paths.py` first.
"""
