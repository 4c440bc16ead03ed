"""Cloud Run services and jobs as decisions need them, and the pure rules about them.

Source: google/cloud/run/v2.
"""
