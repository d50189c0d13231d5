"""Claims: from a worker's story to the rights it touches, what is owed, by when, and what proves it."""
