"""Casework: the case database and its rules; knows no framework."""
