"""``make bench``: figures of the running system, measured from outside as members would meet it."""
