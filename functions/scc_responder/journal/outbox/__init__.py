"""What is to be told by routes, stored before it is sent: nothing of it is lost with a process.

In: a notice, and the route that it takes. Out: what waits, and one digest of what came in a storm. Read `outbox.py`
first.
"""
