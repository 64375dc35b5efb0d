"""The platform and its engines in containers: what images are built from, Compose, and the test of it all."""
