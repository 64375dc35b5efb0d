"""Finding: posts, comments, pages, groups and people by their words. Writes nothing; reads the public topics
of the others.
"""
