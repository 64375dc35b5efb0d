"""How the gateway looks, speaks and keeps its doors, as tests."""
