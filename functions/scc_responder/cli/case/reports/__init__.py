"""The account of a case in the forms that people read: Markdown, a page, a terminal.

In: an `Account`. Out: text in which nothing that an attacker wrote is active. Plain text is in `journal/account`.
"""
