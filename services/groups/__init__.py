"""Belonging: groups, who is in them, invitations. Writes `groups.events` and `groups.private`; reads
`identity.events` and its own.
"""
