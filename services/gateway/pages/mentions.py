"""Whom does a text mention? Members write `@Name Surname`; the feed keeps `@[member id]`."""

import asyncio
import re
from collections.abc import Collection, Sequence

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from services.gateway import places
from services.gateway.pages import said
from services.gateway.pages.member_answers import members_of
from services.gateway.pages.search_answers import FoundPiece
from services.gateway.pages.visit import Form, Member, Names, Visit
from services.gateway.view_models import Person
from services.gateway.view_models.people import MentionableView
from services.gateway.view_models.talk import Mention
from shared.kernel.errors import Refused

#: People offered while a name is typed, and letters of it before anybody is.
OFFERED = 6
FEWEST_LETTERS = 2
#: People looked at who have a name that begins as one in a text does.
LOOKED_AT = 50
#: Names of one text that are looked up, and pairs that one form brings along.
MOST_NAMES = 10
MOST_PAIRS = 50
LONGEST_LABEL = 200

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,63}")
_WORD = r"[^\W\d_][\w'\u2019.\-]*"
#: At least a name and a surname, and what may be more of it, or the sentence going on.
_BY_HAND = re.compile(rf"(?<![\w@])@(?P<name>{_WORD}(?: {_WORD}){{1,4}})")
_AFTER_A_NAME = ".'\u2019-"

routes = APIRouter(include_in_schema=False)


class _Hit(BaseModel):
    id: str
    pieces: list[FoundPiece]


class _Hits(BaseModel):
    items: list[_Hit]


@routes.get(places.MENTIONABLE)
async def mentionable(visit: Member, q: str = "") -> Response:
    """People whose names begin like this, as far as the reader finds them in the directory."""
    typed = " ".join(q.split())
    ids = await _called(visit, typed) if len(typed) >= FEWEST_LETTERS else []
    found = await members_of(visit, ids[:OFFERED])
    return visit.show(MentionableView([member.card({}) for member in found if member.name]))


def pairs_of(sent: Form) -> list[Mention]:
    """Whom the names in a form's text stand for, as the form says."""
    found: dict[str, str] = {}
    for pair in sent.texts("mention")[:MOST_PAIRS]:
        member_id, _, label = pair.partition(" ")
        if _ID.fullmatch(member_id) and label.strip() and len(label) <= LONGEST_LABEL and "\n" not in label:
            found[label] = member_id
    return [Mention(member_id, label) for label, member_id in found.items()]


def typed(text: str, names: Names, unknown: str) -> tuple[str, list[Mention]]:
    """A text that the feed keeps, as somebody would have typed it, and whom its names stand for. `unknown` is
    what somebody without a name is called."""
    labels: dict[str, str] = {}
    for member_id in said.mentioned(text):
        if member_id not in labels:
            labels[member_id] = _label(names.of(member_id).name or unknown, labels.values(), text)

    def named(found: re.Match[str]) -> str:
        return f"@{labels[found['member']]}"

    # What goes on behind the sign without a space would be taken for a part of the name.
    shown = re.sub(rf"{said.MENTION}(?!\w)", named, text)
    return shown, [Mention(member_id, label) for member_id, label in labels.items()]


def _label(name: str, taken: Collection[str], text: str) -> str:
    """Of two who have one name, the second gets a number."""
    label, number = name, 2
    while label in taken or f"@{label}" in text:
        label, number = f"{name} ({number})", number + 1
    return label


def stored(text: str, pairs: Sequence[Mention]) -> str:
    """The text as the feed keeps it, as far as the pairs tell."""
    if not pairs:
        return text
    ids = {pair.label: pair.member_id for pair in pairs}
    longest_first = "|".join(re.escape(label) for label in sorted(ids, key=len, reverse=True))
    return re.sub(rf"@({longest_first})(?!\w)", lambda found: f"@[{ids[found[1]]}]", text)


async def kept(visit: Visit, text: str, pairs: Sequence[Mention]) -> str:
    """The text as the feed keeps it. A name without a pair stands for the one member who is called that; what
    nobody or more than one is called stays as it was typed."""
    text = stored(text, pairs)
    by_hand = list(_BY_HAND.finditer(text))
    beginnings = list(dict.fromkeys(_beginning(found["name"]) for found in by_hand))[:MOST_NAMES]
    called = dict(
        zip(beginnings, await asyncio.gather(*(_people(visit, q) for q in beginnings)), strict=True)
    )
    for found in reversed(by_hand):
        person, length = _meant(found["name"], called.get(_beginning(found["name"]), ()))
        if person is not None:
            text = f"{text[: found.start()]}@[{person.id}]{text[found.start() + 1 + length :]}"
    return text


def _beginning(name: str) -> str:
    return " ".join(word.rstrip(_AFTER_A_NAME) for word in name.split(" ")[:2])


def _meant(name: str, people: Sequence[Person]) -> tuple[Person | None, int]:
    """The one who is called what the text begins with, and how long that is in the text."""
    words = name.split(" ")
    for many in range(len(words), 1, -1):
        begins = " ".join(words[:many])
        for written in dict.fromkeys((begins, begins.rstrip(_AFTER_A_NAME))):
            found = [person for person in people if said.folded(person.name) == said.folded(written)]
            if found:
                return (found[0] if len(found) == 1 else None), len(written)
    return None, 0


async def _people(visit: Visit, q: str) -> list[Person]:
    ids = await _called(visit, q)
    names = await visit.named(ids)
    # Of more than are looked at nobody can say that only one is called that.
    return [names.of(member_id) for member_id in ids] if len(ids) < LOOKED_AT else []


async def _called(visit: Visit, q: str) -> list[str]:
    """Members by the beginnings of their names; nobody while search is away, or does not take the words."""
    query: dict[str, str | int] = {"q": q, "kind": "person", "limit": LOOKED_AT}
    try:
        hits = (await visit.ask("search", "GET", "/suggestions", query=query)).read(_Hits).items
    except Refused:
        return []
    # The others were found by what they may be asked about.
    return [hit.id for hit in hits if any(piece.found for piece in hit.pieces)]
