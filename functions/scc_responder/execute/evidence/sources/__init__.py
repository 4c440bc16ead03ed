"""The evidence sources, one file each: a function of the file's name under `@source`.

In: `SourceInput`. Out: items to store; secrets are left out of them later. Read `events.py`.
"""
