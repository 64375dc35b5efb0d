"""What `make check` runs, and the rules that it enforces."""
