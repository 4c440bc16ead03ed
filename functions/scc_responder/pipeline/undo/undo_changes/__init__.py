"""What takes a change back in a cluster, one kind of change in each file: carried out as the identity of undo.

In: an object that a case changed. Out: one `Result`, read back. A function reads of them only that a step was undone.
"""
