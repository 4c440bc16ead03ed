"""The values of the product: findings, context, changes, ports, errors. Pure values that know nothing else.

In: nothing. Out: the types that every other folder uses. Read `finding.py` first, then `context.py`.
"""
