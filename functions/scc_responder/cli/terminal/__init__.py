"""How commands print for a person: colour, progress, times, Markdown, ports.

In: what a command found. Out: lines on a terminal or in a pipe. Read `terminal.py` first.
"""
