"""What the runtime promises to those who call it over HTTP, and to itself."""
