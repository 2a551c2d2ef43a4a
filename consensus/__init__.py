"""Agreement on the next block. Pure."""
