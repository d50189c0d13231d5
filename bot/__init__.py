"""The doors: what members and staff come through; knows nothing of how answers are made."""
