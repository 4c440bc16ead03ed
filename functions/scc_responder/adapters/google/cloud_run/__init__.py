"""Cloud Run's Admin API v2: services, revisions, jobs, executions and their IAM policies.

In: names of `domain/cloud_run`. Out: its values, and long-running operations. Read `run_admin.py` first.
"""
