"""The HTTP edges: a request in, a status out. Of function and undo, for programs; of the console, pages for people.

In: a request. Out: what is answered. Read `http_edge.py` first. The function imports nothing of `console` and undo.
"""
