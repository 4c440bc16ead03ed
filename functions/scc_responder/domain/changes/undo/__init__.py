"""What takes a change back in a cluster, one kind in each file: carried out at a desk, as the identity of undo."""
