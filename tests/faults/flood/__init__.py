"""Floods against a media server of its own, on loopback: what do the people in another room notice?

`python -m tests.faults.flood` runs every attack for some seconds beside a meeting and prints, per attack, the rate that
was reached, the server's loop lag, its memory and tables, and which share of the meeting's packets arrived.
"""
