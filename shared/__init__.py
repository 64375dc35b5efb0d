"""What every service stands on: the pure kernel and the runtime that executes it."""
