"""An undo at somebody's desk: the same as the deployed one, as whom the person reaches clusters and Cloud Run.

In: settings, and an identity. Out: the services that an undo works with.
"""
