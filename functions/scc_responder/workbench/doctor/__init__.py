"""What `scc-responder doctor` asks of a deployment, and what the answers mean. Pure: who asks is given.

In: the answers of probes. Out: checks, each with its remedy. Read `check.py` first.
"""
