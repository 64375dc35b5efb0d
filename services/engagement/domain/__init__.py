"""The rules of being counted: consent, and the signals that are kept under it; and of being found by a
coach."""
