"""What a command is told of its commit, and a request's own key. Apart from the store: not all have one."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Committed:
    """What a command did: the stream's tail after it, and the commit that holds it."""

    service: str
    stream: str
    version: int
    commit_id: str

    def __str__(self) -> str:
        return f"{self.service}/{self.stream}/{self.version}"


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A member's key for one request, bound to what was asked: the same key for another request is
    refused.

    `looked_up`: the caller asked `repeated` a moment ago, and it was not done; the store does not ask again
    before it decides. That it is done once does not rest on this. `known_as`: what the same request was bound
    to by older keys.
    """

    member_id: str
    key: str
    request_hash: str
    looked_up: bool = field(default=False, compare=False)
    known_as: frozenset[str] = field(default=frozenset(), compare=False)

    def is_of(self, request_hash: str) -> bool:
        """Whether this is the request that was kept so."""
        return request_hash == self.request_hash or request_hash in self.known_as

    @property
    def stored(self) -> tuple[str, str]:
        return f"{self.member_id} {self.key}", self.request_hash
