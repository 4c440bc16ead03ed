"""The story that the demonstration plays on the simulated cluster, and its expected results.

In: a simulated cluster. Out: findings, and checks of what they led to. Read `scenario.py` first.
"""
