"""That a member has read an announcement: a stream of its own for each, so that nothing hot is one stream."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.feed import PostAcknowledged
from services.feed.domain.posts import Post
from shared.kernel import text
from shared.kernel.decider import Decider
from shared.kernel.errors import Refused
from shared.kernel.events import Event


@dataclass(frozen=True, slots=True)
class AcknowledgePost:
    """`post` is the announcement as it is; edition and language are what the member had before them."""

    post_id: str
    member_id: str
    post: Post
    edition: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    edition: int = 0
    language: str = ""


def decide(command: AcknowledgePost, known: Acknowledgement) -> Sequence[Event]:
    """Nothing follows from acknowledging an edition again, or an older one."""
    if not command.post.must_acknowledge:
        raise Refused("nothing-to-acknowledge", "This does not ask to be acknowledged.")
    edition = command.post.edition if command.edition is None else command.edition
    if not 1 <= edition <= command.post.edition:
        raise Refused("no-such-edition", "There is no such edition. Read it again.", field="edition")
    if edition <= known.edition:
        return []
    language = command.language or command.post.language.code
    return [
        PostAcknowledged(
            post_id=command.post_id,
            member_id=command.member_id,
            edition=edition,
            language=text.language(language, stored=(command.post.language.code,)),
        )
    ]


def evolve(known: Acknowledgement, event: Event) -> Acknowledgement:
    return Acknowledgement(event.edition, event.language) if isinstance(event, PostAcknowledged) else known


acknowledgements: Decider[AcknowledgePost, Acknowledgement] = Decider(
    lambda command: f"acknowledgement-{command.post_id}-{command.member_id}",
    Acknowledgement(),
    decide,
    evolve,
)
