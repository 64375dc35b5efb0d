"""The one door: pages for browsers, the API, sign-in. It has no events; it asks services for the member."""
