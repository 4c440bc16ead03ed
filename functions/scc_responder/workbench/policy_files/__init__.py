"""A folder of policies as people write it: read whole or not at all, and every mistake named with its file and line.

In: a folder of YAML. Out: a `PolicySet`, or `PolicyError` with all mistakes; what is deployed is compiled from it. Read
`policy_file.py` first. For people's machines: a deployment has what was checked here.
"""
