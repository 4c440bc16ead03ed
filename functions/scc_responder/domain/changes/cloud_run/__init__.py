"""The changes on Cloud Run, one kind in each file."""
