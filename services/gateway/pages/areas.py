"""Which pages are there? Every area's routes."""

from services.gateway.pages import (
    adoption,
    announcing,
    coaching,
    composing,
    door,
    group_owners,
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
    touring,
    writing,
)

ALL = (
    door.routes,
    home.routes,
    touring.routes,
    composing.routes,
    announcing.routes,
    talk.routes,
    # before groups, whose addresses are any id
    group_owners.routes,
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
    # before figures, whose addresses are any name
    coaching.routes,
    adoption.routes,
    operate.routes,
)
