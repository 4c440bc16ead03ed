"""What is deployed: the zip of the function, what comes with the wheel for it, and a repository of a team's policies.

Read `deployed_zip.py` first.
"""
