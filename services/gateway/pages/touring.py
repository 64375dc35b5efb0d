"""A walk through the demonstration company, for who has just come in: only where there is such a company."""

from datetime import UTC, datetime, time

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.pages import demonstration
from services.gateway.pages.demonstration import Manifest
from services.gateway.pages.visit import Member
from services.gateway.view_models.tour import GuestTourView, Planted, Stops, TourView

#: Who may see who has read what of others.
KEEPERS = frozenset({"editor", "admin"})
#: Of a day that is one everywhere.
NOON = time(12)
#: The seeded sign-ins, by the part that they play.
SIGN_INS = (
    ("saga", "member"),
    ("gemma", "guest"),
    ("leena", "leader"),
    ("amir", "ambassador"),
    ("claire", "coach"),
    ("eskil", "editor"),
    ("tomasz", "translator"),
    ("berit", "board"),
    ("olivia", "operator"),
    ("alva", "admin"),
)

routes = APIRouter(include_in_schema=False)


@routes.get(places.TOUR)
async def tour(visit: Member) -> Response:
    """Raises NotFound where nothing was made up."""
    manifest = demonstration.of(visit.reception.settings.folder)
    if manifest is None:
        raise places.nowhere()
    if not visit.is_staff:
        return visit.show(GuestTourView(visit.groups))
    roles = visit.signed_in.held.roles
    view = TourView(
        stops=_stops(manifest, bool(roles & KEEPERS)),
        planted=_planted(manifest),
        roles=sorted(roles),
        sign_ins=SIGN_INS,
    )
    return visit.show(view)


def _stops(manifest: Manifest, keeps: bool) -> Stops:
    found = manifest.stops
    return Stops(
        film=found.get("film", ""),
        announcement=found.get("announcement", ""),
        report=keeps,
        friday=found.get("friday", ""),
        mail_list=found.get("list", ""),
        lessons=found.get("lessons", ""),
        island_unit=found.get("island_unit", ""),
        page=found.get("page", ""),
    )


def _planted(manifest: Manifest) -> Planted:
    post_id = manifest.stops.get("announcement")
    unread = manifest.unread
    announced = next((one for one in manifest.announcements if one.post_id == post_id), None)
    return Planted(
        people=manifest.counts["members"],
        posts=manifest.counts["posts"],
        since=manifest.since,
        began_after=manifest.film.first_time_after,
        began_before=manifest.film.first_time_before,
        replaced_on=datetime.combine(manifest.mails.replaced_on, NOON, UTC),
        mails=manifest.mails.mails_before,
        announcements=manifest.mails.announcements_since,
        asked=announced.people if announced else 0,
        confirmed=announced.acknowledged if announced else 0,
        islanders=manifest.island.members,
        unread=unread.language if unread else "",
        unread_members=unread.members if unread else 0,
        unread_english=unread.read_english if unread else 0,
    )
