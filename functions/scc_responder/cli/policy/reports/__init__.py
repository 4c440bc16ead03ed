"""How the results of the policy commands look.

In: coverage and results of tests. Out: text, Markdown, one HTML page. Read `coverage_report.py` first.
"""
