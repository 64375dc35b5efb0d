"""The rules of the wiki: spaces, pages, the paths they take, and who may do what."""
