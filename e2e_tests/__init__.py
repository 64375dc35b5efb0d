"""Stories of members, told through the gateway in a real browser. Nothing here knows a service."""
