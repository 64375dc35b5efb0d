"""Search over HTTP: one box for everything, trimmed to what the reader may see."""

from services.search.api.routes import Search, router

__all__ = ["Search", "router"]
