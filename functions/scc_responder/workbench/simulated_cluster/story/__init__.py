"""What the demonstration plays on the simulated cluster, and what must come of it.

In: a simulated cluster. Out: findings, and checks of what they led to. Read `scenario.py` first.
"""
