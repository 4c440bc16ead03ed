"""The pages in a browser: cases, one case, its plan, and the forms by which a person answers.

In: a request, who the person is, and the journal to read. Out: a page, and an answer handed to whoever decides on it:
on this machine the pipeline itself, elsewhere the function. Read `console_app.py` first.
"""
