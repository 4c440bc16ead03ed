"""Pub/Sub: the outcome topic, the dead letters, the subscription as it is set up.

In: messages. Out: what was published, pulled, or found. Read `topic_publisher.py` first.
"""
