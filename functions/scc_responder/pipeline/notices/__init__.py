"""Tells people: at once what no case tells, and by the routes of `policies/routes.yaml`.

In: a notice. Out: an entry in the outbox, then the receiver's receipt. What sends by routes is imported where there are
some. Read `route_notifier.py` first.
"""
