"""Rasa custom actions: thin; each asks casework and says what came of it. One file per room."""
