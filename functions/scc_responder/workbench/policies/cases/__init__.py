"""The cases beside policies and guardrails: how they are written, what they mean, and what is wrong with them.

In: a `.test.yaml` file. Out: contexts to decide about, and mistakes with their lines. Read `case_file.py` first.
"""
