"""What is read before anything is decided: the finding again, its cluster, pod, owner, namespace, node.

In: a `Finding` and the ports. Out: a `Context`, with what could not be read, and why. Read `confirm.py` first, then
`target.py`.
"""
