"""From bytes to a finding, and from a finding to its threat. Pure.

In: a Pub/Sub envelope. Out: one frozen `Finding`, its `Threat`, or a named rejection. Read `envelope.py` first, then
`notification.py`.
"""
