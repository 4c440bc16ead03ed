"""What is read again once a case is at its end: logs that arrive late, and the instances of a revision that end late.

Each is noted in the store when the case ends, and a sweep works off what is due.
"""
