"""The services, one room each; they know each other through `contracts` only."""
