"""For people's machines, not deployed: explain, check, simulate, probe.

In: policies, findings, snapshots, a deployment's settings. Out: what they would do or what is wrong. Read
`explanation.py` first.
"""
