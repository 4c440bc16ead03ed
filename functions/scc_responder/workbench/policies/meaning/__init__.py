"""Whether a policy and its guardrails can mean what their author meant: what never or always holds is named.

In: a folder that loads. Out: errors with their place. `policy lint` and the making of the zip ask for them; a function
that runs does not, so that what the last release took still starts. Read `meaning.py` first.
"""
