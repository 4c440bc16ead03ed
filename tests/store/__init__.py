"""The compare-and-set store and the evidence store, as their ports promise."""
