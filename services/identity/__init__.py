"""Identity: who is a member, how they sign in, and the keys that personal data is sealed with.

Writes `identity.events`, `identity.private` and the compacted `identity.keys`; reads its own topics only.
"""
