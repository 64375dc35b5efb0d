"""The pages, a module per area. Each asks the services in the member's name and fills one view."""
