"""The semantics of the house, paragraph by paragraph, on the real engines."""
