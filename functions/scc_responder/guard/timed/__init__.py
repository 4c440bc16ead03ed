"""What a person sets in the store for some hours: a ceiling on one policy, namespace or workload, and an exemption.

In: the kill switch's document and a context. Out: the ceilings and exemptions that hold there now. Read
`timed_ceilings.py` first.
"""
