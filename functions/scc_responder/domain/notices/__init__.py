"""What people are told, and to whom it goes. Pure values.

In: what happened. Out: a `Notice`, and as a `RoutedNotice` what one receiver gets of it. Read `notice.py` first.
"""
