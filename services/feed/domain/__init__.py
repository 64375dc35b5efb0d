"""The feed's rules, a module per aggregate."""
