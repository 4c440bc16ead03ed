"""From a delivery to its record: the picture of the README as code.

In: the body and headers of one Pub/Sub push, or a sweep's turn. Out: an `Ending` (204 settled, 503 come again), one log
line, one stored case, one message. Read `containment.py` first, then `delivery.py`.
"""
