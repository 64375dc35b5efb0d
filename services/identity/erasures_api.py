"""The list of erasures over HTTP: to be kept outside every backup, and applied again after a restore."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from services.identity.accounts.administering import acting_now
from services.identity.domain.permissions import Permission, permit
from shared.kernel.errors import Refused
from shared.runtime.http import Caller, Input
from shared.runtime.operate import Operator
from shared.runtime.store import EventStore
from shared.runtime.vault import Erasure, KeyVault, reapply_erasures

#: Erasures in one answer or request.
MOST = 1_000

MemberId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$")]


class ErasureItem(Input):
    member_id: MemberId
    erased_at: AwareDatetime


class ErasureList(BaseModel):
    items: list[ErasureItem]
    next: str | None = Field(description="What to ask for as `past`, if there are more")


class Erasures(Input):
    items: Annotated[list[ErasureItem], Field(max_length=MOST)]


class Reapplied(BaseModel):
    """`erased` of the `given` were not erased here."""

    given: int
    erased: int


def erasures_router(vault: KeyVault, store: EventStore) -> APIRouter:
    api = APIRouter(prefix="/operate/erasures", tags=["operate"])

    @api.get("")
    async def list_erasures(
        _: Operator,
        past: Annotated[str, Query(max_length=100, description="Begin after this id")] = "",
    ) -> ErasureList:
        """Whose keys were destroyed and when, by id."""
        found = await vault.erasures(past, MOST + 1)
        items = [ErasureItem(member_id=one.member_id, erased_at=one.erased_at) for one in found[:MOST]]
        return ErasureList(items=items, next=items[-1].member_id if len(found) > MOST else None)

    @api.post("")
    async def apply_erasures(given: Erasures, caller: Caller) -> Reapplied:
        """Destroys again the keys that a restored backup brought back. What is erased already stays so."""
        permit(await acting_now(store, caller), Permission.ERASE_MEMBERS)
        now = datetime.now(UTC)
        if any(one.erased_at > now for one in given.items):
            raise Refused("erasure-to-come", "The list names an erasure to come.", field="items")
        erasures = [Erasure(one.member_id, one.erased_at) for one in given.items]
        return Reapplied(given=len(erasures), erased=await reapply_erasures(vault, erasures))

    return api
