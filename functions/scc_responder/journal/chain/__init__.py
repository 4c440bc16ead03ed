"""The hash chain over a case's steps: what was done cannot be rewritten without a trace.

In: a record, and what log lines, messages and manifests said of it. Out: whether they agree, and the first step that
differs. Read `step_chain.py`.
"""
