"""Which policies of other kinds than NetworkPolicy let a pod's traffic through: read, and judged with care.

In: a pod, and the policies that the cluster serves. Out: the policies that let it through, and those that may. Read
`policy_kinds.py` first. What cannot be shown not to select the pod, or not to allow, may let it through.

BaselineAdminNetworkPolicies, and the Baseline tier of ClusterNetworkPolicies, are left out: they come after
NetworkPolicies, and a pod that one NetworkPolicy selects never reaches them.
"""
