"""Entitlements: what a worker is owed, by which article, by when; one file per right, pure functions.

A calculator takes checked inputs and the rate tables, and gives an amount or a day with the steps that
lead there, each with its article. It never guesses: what is not given is asked for, and a rate that is
not in the tables is named, not replaced.
"""
