"""``make bench-desk``: the desk under load, measured from outside as workers and members meet it."""
