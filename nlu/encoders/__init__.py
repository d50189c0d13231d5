"""Pretrained sentence vectors from local folders, as dense features beside our n-grams (docs/encoders.md)."""
