"""The HTTP edges: of the function, a request in and a status out; of the console, pages for people in a browser.

In: a request. Out: what is answered. Read `http_edge.py` first. Nothing of `console` is imported by the function.
"""
