"""The demonstration: a real year's shape, with invented schools and people."""
