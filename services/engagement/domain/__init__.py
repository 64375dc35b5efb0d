"""The rules of being counted: consent, and the signals that are kept under it."""
