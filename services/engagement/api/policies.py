"""In which countries coaches are told names: read by all staff, decided by the board and administrators."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from contracts.engagement import Naming
from services.engagement import projections
from services.engagement.api.access import Engagement, opened_texts
from services.engagement.api.coaching_answers import NewPolicy, PolicyAnswer, PolicyList
from services.engagement.domain.permissions import demand
from services.engagement.domain.policies import ChangePolicy, policies
from shared.runtime.http import After, Caller, Doing, IdempotencyKey, answer_behind, answer_commit

#: Countries there are in the world, and some more.
MOST_COUNTRIES = 400


def router(room: Engagement) -> APIRouter:
    api = APIRouter(prefix="/policies")

    @api.get("")
    async def list_country_policies(caller: Caller, response: Response, after: After) -> PolicyList:
        """What holds in each country. Where nobody has decided, nobody is named."""
        demand("policies:read", await room.asker(caller))
        answer_behind(response, await room.behind(after, projections.policies))
        decided = await room.policies.find({}, sort=[("_id", 1)], limit=MOST_COUNTRIES)
        reasons = await opened_texts(room.keys, [view.reason for view in decided])
        told = {
            view.country: PolicyAnswer(**view.model_dump(exclude={"reason"}), reason=reason)
            for view, reason in zip(decided, reasons, strict=True)
        }
        for country in await room.coaching.countries():
            undecided = PolicyAnswer(country=country, naming=Naming.AGGREGATES_ONLY)
            told.setdefault(country, undecided)
        return PolicyList(items=[told[country] for country in sorted(told)])

    @api.put("/{country}")
    async def change_country_policy(
        caller: Caller,
        country: Annotated[str, Path(pattern=r"^[A-Z]{2}$")],
        new: NewPolicy,
        doing: Doing,
        response: Response,
        key: IdempotencyKey,
    ) -> NewPolicy:
        """Counts at the next request, whoever was named before."""
        demand("policies:change", await room.asker(caller))
        await room.coaching.check_country(country)
        command = ChangePolicy(country, new.naming, new.reason, caller.member_id)
        answer_commit(response, await room.store.handle(policies, command, doing, idempotency=key))
        return new

    return api
