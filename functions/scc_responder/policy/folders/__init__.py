"""How policies lie in folders: which files are read, what a folder of a team may hold, and what patterns bound.

Read `policy_layout.py` first. For people's machines: a deployment has what was checked here.
"""
