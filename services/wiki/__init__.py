"""The wiki: spaces and pages, every revision kept.

It writes `wiki.events` (contracts/wiki.py) and `wiki.private` (reservations of paths), and reads its own
topics and the events of identity that change members' tokens.
"""
