"""Which events decide what members may see: every service folds the same ones, so that all agree."""

from contracts import groups, identity
from shared.kernel.events import Event

CHANGES_TOKENS: tuple[type[Event], ...] = (*identity.CHANGES_TOKENS, *groups.CHANGES_TOKENS)
