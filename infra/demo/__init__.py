"""The demonstration company: a synthetic history for a platform that shows itself, and what is true of it.

Pure and deterministic: the same seed, end and sign-ins give the same commands, byte for byte. Nothing here
looks at a clock, a network or a service; `infra.cli.company` brings the commands in.
"""
