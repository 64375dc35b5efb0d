"""May this be the audience? It must be there, and those who answer for a thing must not be shut out of it.

Asked of the view of members' tokens: a service needs no list of units, countries or groups to know that
somebody is in them.
"""

from collections.abc import Collection

from shared.kernel.audience import GROUP, Classification, Reader, no_such_audience
from shared.kernel.errors import Refused
from shared.runtime.readers import Readers


async def check_exists(
    readers: Readers,
    writer: Reader,
    clauses: Collection[str],
    kept: Collection[str] = (),
    *,
    asks_only: bool = False,
) -> None:
    """Raises Refused for an audience that nobody is in, and alike for a group that the writer is not in.

    `kept` are there already, whoever decided on them. Of several conditions each must be there, and somebody
    who meets them all for one clause at least: another may be for those who will. `asks_only`: nothing is
    used of what one member may join.
    """
    new = [clause for clause in clauses if clause not in kept]
    joined = [clause for clause in new if "&" in clause]
    for token in sorted({token for clause in new for token in clause.split("&")}):
        if not await _exists(readers, writer, [token]):
            raise no_such_audience()
    if len(joined) == len(clauses) and not await _meets_any(readers, writer, joined):
        raise Refused(
            "audience-of-nobody", "Nobody is in this audience now. Choose a wider one.", field="audience"
        )
    admits = readers.would_admit if asks_only else readers.admits
    if joined and not await admits(joined, writer.member_id):
        raise Refused(
            "audience-too-special",
            "There are too many audiences joined of several already. Choose one that is in use.",
            field="audience",
        )


async def _meets_any(readers: Readers, writer: Reader, joined: Collection[str]) -> bool:
    for clause in joined:
        if await _exists(readers, writer, clause.split("&")):
            return True
    return False


async def _exists(readers: Readers, writer: Reader, tokens: Collection[str]) -> bool:
    if writer.tokens.issuperset(tokens):
        return True
    if any(token.startswith(GROUP) and token not in writer.tokens for token in tokens):
        return False
    return await readers.anybody(tokens)


async def check_seen(
    readers: Readers, writer: Reader, owner_id: str, clauses: Collection[str], level: Classification
) -> None:
    """Raises Refused where the writer could not see the thing any more, or its owner, if there is one."""
    check_cleared(writer, level)
    if not writer.may_see(clauses, level):
        raise Refused(
            "audience-without-you",
            "You could not see this yourself. Choose an audience that you are in as well.",
            field="audience",
        )
    owner = None if owner_id == writer.member_id else await readers.known(owner_id)
    if owner is not None and not owner.may_see(clauses, level):
        raise Refused(
            "audience-without-owner",
            "The owner could not see this any more. Choose an audience that they are in as well, "
            "or hand it over first.",
            field="audience",
        )


def check_cleared(writer: Reader, level: Classification) -> None:
    """Raises Refused for what is above the writer's own clearance."""
    if level.rank > writer.clearance.rank:
        raise Refused(
            "above-your-clearance",
            "You are not cleared for that. Choose a lower classification.",
            field="classification",
        )
