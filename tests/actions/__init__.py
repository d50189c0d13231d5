"""Tests of the actions, with the real database and knowledge and without Rasa."""
