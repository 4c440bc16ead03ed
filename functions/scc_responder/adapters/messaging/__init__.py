"""What the receivers of notices share: addresses that stay secret, and requests that end.

In: the content of a secret file. Out: what a service answered, or an ApiError. Read `web_post.py` first.
"""
