"""Talk: posts, announcements, comments, reactions, acknowledgements. Writes `feed.events` and `feed.private`;
reads `identity.events`, `groups.events` and its own.
"""
