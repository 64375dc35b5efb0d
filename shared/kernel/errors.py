"""How the domain says no: refusals with a code for machines and a sentence for people."""

from collections.abc import Mapping
from typing import ClassVar


class Refused(Exception):
    """A command breaks a rule. `code` is kebab-case and stable; `message` is an English sentence that says
    what to do.

    `message` may hold `{names}` that `params` fill, so that a translation can place them; `field` names the
    input at fault.
    """

    #: Nothing is wrong with what was asked: the same is asked again later.
    momentary: ClassVar[bool] = False

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> None:
        self.code = code
        self.template = message
        self.params = dict(params or {})
        self.field = field
        super().__init__(message.format(**self.params) if self.params else message)


class NotFound(Refused):
    """The thing does not exist, or not for this reader: the two must look the same."""


class Forbidden(Refused):
    """The member is known and may see the thing, but may not do this."""


class Unauthenticated(Refused):
    """It is not known who asks, or what they showed is no longer valid."""


class Conflict(Refused):
    """Somebody was faster, or the thing is already so; looking again helps."""


class TooLarge(Refused):
    """Past a named limit of size."""


class TooMany(Refused):
    """Past a named limit of rate; trying later helps."""


class Unavailable(Refused):
    """An engine or another service is away or behind; nothing is wrong with the request."""

    momentary = True


class Undecodable(Exception):
    """A recorded event cannot be read by this image: unknown version, broken data or a failing upcaster."""
