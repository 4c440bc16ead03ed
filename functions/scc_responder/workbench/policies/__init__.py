"""Checks of a folder of policies before it is deployed: lint, schema, coverage, tests.

In: a folder. Out: mistakes with file and line, JSON Schemas, coverage, results. Read `policy_lint.py` first.
"""
