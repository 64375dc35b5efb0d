"""What groups take over HTTP. Lengths here keep nonsense out; the rules themselves are the domain's."""

from typing import Annotated

from pydantic import Field

from contracts.groups import Openness, Standing
from shared.runtime.http import Input

Name = Annotated[str, Field(max_length=400)]
Purpose = Annotated[str, Field(max_length=4_000, description="What the group is for; may have several lines")]
Language = Annotated[str, Field(max_length=40, description="A code such as sv or pt-BR")]
Member = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$")]


class Description(Input):
    name: Name
    purpose: Purpose = ""
    language: Language


class NewGroup(Description):
    """`open`: read by all staff, who may join. `closed`: seen by its members, who are invited. For ever."""

    openness: Openness


class NewStanding(Input):
    standing: Standing


class NewOwner(Input):
    member_id: Member


class NewInvitation(Input):
    member_id: Member
