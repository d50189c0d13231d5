"""``make bench-nlu``: our language understanding beside stock Rasa, trained on the same data in one run."""
