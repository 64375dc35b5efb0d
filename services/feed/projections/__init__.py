"""What the feed shows: posts, comments, members' responses to both, groups, and who is in which audience.

Comments and responses carry no audience: they are read only after their post, by its id, so who may see a
post may see them, and with a deleted post they are out of reach at once.
"""

from services.feed.projections.comments import CommentView, comments
from services.feed.projections.groups import GroupView, groups, owners
from services.feed.projections.members import Hold, MemberView, Standing, members, rank, standing
from services.feed.projections.posts import PostView, posts
from services.feed.projections.responses import ResponseView, response_key, responses, seen_key

__all__ = [
    "CommentView",
    "GroupView",
    "Hold",
    "MemberView",
    "PostView",
    "ResponseView",
    "Standing",
    "comments",
    "groups",
    "members",
    "owners",
    "posts",
    "rank",
    "response_key",
    "responses",
    "seen_key",
    "standing",
]
