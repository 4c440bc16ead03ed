"""Google Cloud's services, a folder for each that takes more than one module.

In: a port's call. Out: Google's answer as values of `domain/`. Read `security_center.py` first.
"""
