"""Texts as this reader sees them: links lead to the pages that they may see, wherever those are now."""

from collections.abc import Iterable

from services.wiki import links
from services.wiki.api.access import LISTED, Wiki
from services.wiki.api.answers import Shown
from services.wiki.markdown import Destination, finish, targets
from services.wiki.projections import PageView
from shared.kernel.audience import Reader

#: Pages that may be meant by the links of one page.
MOST_MEANT = 2_000


async def shown(
    wiki: Wiki, reader: Reader, body: str, path: str, space_id: str, *, keep: bool = True
) -> Shown:
    """`keep`: it will be asked for again."""
    prepared = await wiki.press.prepare(body, path, reader.member_id, keep=keep)
    wanted = {target.address for target in targets(prepared, path)} - {""}
    pages = {address for address in wanted if not links.is_file(address)}
    found = await meant(wiki, reader, space_id, pages, path)
    return Shown(
        html=finish(
            prepared, path, space_id, {a: Destination(p.page_id, p.deleted) for a, p in found.items()}
        ),
        toc=list(prepared.headings),
        left_out=list(prepared.left_out),
        missing_links=sorted(wanted - found.keys()),
    )


async def meant(
    wiki: Wiki, reader: Reader, space_id: str, addresses: Iterable[str], near: str
) -> dict[str, PageView]:
    """The pages that the addresses mean, seen from the page at `near`; only those the reader may see."""
    wanted = sorted(addresses)[: links.MOST_LINKS]
    found: dict[str, PageView] = {}
    for field in ("addresses", "name"):
        left = [
            a for a in wanted if (a not in found or found[a].deleted) and (field != "name" or "/" not in a)
        ]
        if not left:
            continue
        places = await wiki.pages.find(
            {"space_id": space_id, field: {"$in": left}},
            sort=[("_id", 1)],
            limit=MOST_MEANT,
            reader=reader,
            fields=LISTED,
        )
        by_address: dict[str, list[PageView]] = {}
        for place in places:
            for address in {*place.addresses, place.name}:
                by_address.setdefault(address, []).append(place)
        for address in left:
            page = links.best(address, by_address.get(address, ()), near)
            if page is not None and not (page.deleted and address in found):
                found[address] = page
    return found
