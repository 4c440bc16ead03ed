"""The actions on services and jobs of Cloud Run, one file each."""
