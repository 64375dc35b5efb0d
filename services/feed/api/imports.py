"""Talk from elsewhere over HTTP: posts, comments, reactions and acknowledgements, in their authors' names.

Decided as if they had said it here: who may not write in a group did not write there, and is told apart.
"""

from typing import Literal

from fastapi import APIRouter, Response

from contracts.feed import ReactionKind
from services.feed.api import acts
from services.feed.api.access import Feed, asker
from services.feed.api.acts import Doer
from services.feed.api.requests import Acknowledged, NewComment, Said
from services.feed.domain.permissions import demand
from services.feed.domain.posts import PublishPost, posts
from shared.kernel.events import Occasion
from shared.runtime.http import Caller, Doing, Input
from shared.runtime.imports import (
    Batch,
    Commands,
    Id,
    ImportedLine,
    ImportResult,
    InNames,
    Order,
    Rules,
    Source,
    answered,
)
from shared.runtime.store import Committed, Idempotency

SCOPE = "feed"


class ImportedPost(ImportedLine, Said):
    op: Literal["post"]
    post_id: Id


class ImportedComment(ImportedLine, NewComment):
    op: Literal["comment"]
    comment_id: Id
    post_id: Id


class ImportedReaction(ImportedLine):
    """To a post, or to one of its comments."""

    op: Literal["react"]
    post_id: Id
    comment_id: Id | None = None
    kind: ReactionKind


class ImportedAcknowledgement(ImportedLine, Acknowledged):
    op: Literal["acknowledge"]
    post_id: Id


Imported = ImportedPost | ImportedComment | ImportedReaction | ImportedAcknowledgement


class FeedImport(Input):
    source: Source
    commands: Commands[Imported]


def router(feed: Feed) -> APIRouter:
    api = APIRouter()

    @api.post("/feed/import/commands")
    async def import_talk(
        batch: FeedImport, caller: Caller, doing: Doing, response: Response
    ) -> ImportResult:
        """Takes up to 500 commands, in their order. What was taken earlier is not done again."""
        demand("feed:import", asker(caller, await feed.readers.of(caller)))
        rules = Rules(_order, _Lines(feed).do)
        taking = Batch(feed.store, doing, SCOPE, batch.source, rules)
        return await answered(taking, batch.commands, response)

    return api


def _order(line: Imported) -> Order:
    post = f"post {line.post_id}"
    match line:
        case ImportedPost():
            return Order((post,), (post,))
        case ImportedComment(comment_id=comment_id, parent_id=parent_id):
            mine = f"comment {comment_id}"
            return Order((post, f"comment {parent_id}", mine), (mine,))
        case ImportedReaction(comment_id=comment_id):
            mine = f"reaction {comment_id or line.post_id} {line.by}"
            return Order((post, f"comment {comment_id}", mine), (mine,))
        case ImportedAcknowledgement():
            mine = f"acknowledgement {line.post_id} {line.by}"
            return Order((post, mine), (mine,))


class _Lines:
    """How each line of a batch is done."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._members = InNames(feed.readers)

    async def do(self, line: Imported, occasion: Occasion, key: Idempotency) -> Committed:
        actor, reader = await self._members.of(line.by)
        feed, doer = self._feed, Doer(actor, reader, occasion, key)
        match line:
            case ImportedPost(post_id=post_id):

                async def publish(command: PublishPost) -> Committed:
                    return await feed.store.handle(posts, command, occasion, idempotency=key, begins=True)

                return await acts.post(feed, doer, post_id, line, publish)
            case ImportedComment(comment_id=comment_id, post_id=post_id):
                return await acts.comment(feed, doer, comment_id, post_id, line)
            case ImportedReaction(post_id=post_id, comment_id=None, kind=kind):
                return await acts.react_to_post(feed, doer, post_id, kind)
            case ImportedReaction(comment_id=comment_id, kind=kind):
                assert comment_id is not None, "the case before"
                return await acts.react_to_comment(feed, doer, comment_id, kind)
            case ImportedAcknowledgement(post_id=post_id):
                return await acts.acknowledge(feed, doer, post_id, line)
