"""Which pages are there? Every area's routes."""

from services.gateway.pages import (
    announcing,
    composing,
    door,
    group_people,
    groups,
    home,
    keeping,
    operate,
    people_pages,
    profile,
    reading,
    searching,
    settings,
    spaces,
    talk,
    writing,
)

ALL = (
    door.routes,
    home.routes,
    composing.routes,
    announcing.routes,
    talk.routes,
    groups.routes,
    group_people.routes,
    people_pages.routes,
    profile.routes,
    searching.routes,
    spaces.routes,
    writing.routes,
    reading.routes,
    keeping.routes,
    settings.routes,
    operate.routes,
)
