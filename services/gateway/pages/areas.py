"""Which pages are there? Every area's routes."""

from services.gateway.pages import door, home, keeping, operate, reading, settings, spaces, writing

ALL = (
    door.routes,
    home.routes,
    spaces.routes,
    writing.routes,
    reading.routes,
    keeping.routes,
    settings.routes,
    operate.routes,
)
