"""Every metric, each defined in a module of its own: words, formula, source, events, and rows made of facts.

All of it is pure: facts in, figures out. What a metric is called and which version is meant is looked up
here.
"""

from services.engagement.metrics import active_members, languages, mails_replaced
from services.engagement.metrics.announcements import announcement_reach
from services.engagement.metrics.contributors import contributors
from services.engagement.metrics.cross_unit_talk import cross_unit_talk
from services.engagement.metrics.definition import Definition
from services.engagement.metrics.ladder import ladder, passive_share
from services.engagement.metrics.leaders import leaders_participation
from services.engagement.metrics.posts_and_comments import posts_and_comments

DEFINITIONS: tuple[Definition, ...] = (
    active_members.weekly,
    active_members.monthly,
    active_members.monthly_two_days,
    contributors,
    posts_and_comments,
    ladder,
    passive_share,
    announcement_reach,
    leaders_participation,
    languages.by_all,
    languages.language_share,
    cross_unit_talk,
    mails_replaced.together,
    mails_replaced.mails_replaced,
)


def in_force(name: str) -> Definition:
    """The version that answers where none is asked for; raises KeyError."""
    for each in reversed(versions(name)):
        if each.in_force:
            return each
    raise KeyError(name)


def versions(name: str) -> tuple[Definition, ...]:
    """Of the metric, the oldest first; none where there is no such metric."""
    return tuple(each for each in DEFINITIONS if each.name == name)
