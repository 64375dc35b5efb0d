"""Belonging: groups, who is in them, invitations.

It writes `groups.events` (contracts/groups.py), keeps who owns what in its streams, and reads its own topic
and identity's: what changes members' tokens, and who may be asked in.
"""
