"""The rules of belonging: groups, who answers for them, who belongs to them, and who may do what."""
