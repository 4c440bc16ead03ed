"""The words of the product: findings, context, changes, ports, errors. Pure values that know nothing else.

In: nothing. Out: what every other folder speaks in. Read `finding.py` first, then `context.py`.
"""
