"""The one door: pages for browsers, the public API, sign-in. Owns no events; asks the services in the member's name."""
