"""The actions a policy may ask for: one file each, found by file name."""
