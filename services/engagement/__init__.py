"""Adoption: who may be counted, and what is opened and read. Writes `engagement.events` and
`engagement.private`; takes in the public topics of the others.
"""
