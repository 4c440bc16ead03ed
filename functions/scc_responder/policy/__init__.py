"""What people write in `policies/`, and what it decides about a finding. Pure, except for reading files.

In: a folder of policies, a `Context`. Out: a `Decision`: what would be done, and why not the rest. Read `decide.py`
first; `policy_file.py` and `guardrails.py` say what may be written.
"""
