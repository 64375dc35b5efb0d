"""The wiki: spaces and pages, every revision kept.

It writes `wiki.events` (contracts/wiki.py) and `wiki.private` (reservations of paths), and reads its own
topics, the events of identity and groups that change members' tokens, who is a member, and new groups, which
get a space each.
"""
