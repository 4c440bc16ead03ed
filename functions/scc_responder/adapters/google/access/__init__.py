"""How Google's services are reached: credentials, channels, identities, errors.

In: an address and an identity. Out: channels and tokens. Read `channel.py` first.
"""
