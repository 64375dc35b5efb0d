"""What identity's views show after which events."""

import json
from datetime import timedelta
from typing import Any

from contracts.identity import (
    ClearanceChanged,
    LanguageChanged,
    MemberDeactivated,
    MemberErased,
    MemberPlaced,
    MemberRegistered,
    Place,
    ProfileChanged,
    Role,
    RolesChanged,
)
from services.identity import projections
from services.identity.domain.access_tokens import AccessTokenRevoked, AccessTokenUsed
from services.identity.domain.members import Standing
from services.identity.domain.sessions import SessionRevoked, SessionUsed
from services.identity.projections import AccessTokenView, MemberView, SessionView
from services.identity.tests.test_domain import issued, opened, registered
from shared.kernel.audience import Classification
from shared.kernel.events import Event
from shared.kernel.personal import Personal
from shared.kernel.testing import NOON, recorded


def _member(*events: Event) -> MemberView | None:
    view: MemberView | None = None
    for event in events:
        view = projections.members.evolve(view, event, recorded(event), "ann")
    return view


def test_a_member_is_shown_with_a_sealed_name_to_staff_and_to_themselves() -> None:
    sealed = recorded(registered).event()
    view = _member(sealed)
    assert view is not None and view.name.sealed is not None and view.name.plain is None
    assert view.audience == ["staff", "member:ann"] and view.registered_at == NOON
    assert "Åkesson" not in repr(view.model_dump())


def test_a_view_that_was_stored_reads_back_the_same() -> None:
    view = _member(recorded(registered).event())
    assert view is not None and MemberView.model_validate(view.model_dump()) == view


def test_what_changes_about_a_member_shows() -> None:
    view = _member(
        registered,
        RolesChanged(member_id="ann", old=(), new=(Role.EDITOR,)),
        ClearanceChanged(member_id="ann", old=Classification.INTERNAL, new=Classification.CONFIDENTIAL),
        LanguageChanged(member_id="ann", old="sv", new="fi"),
    )
    assert view is not None
    assert (view.roles, view.clearance, view.language) == ([Role.EDITOR], Classification.CONFIDENTIAL, "fi")
    left = _member(registered, MemberDeactivated(member_id="ann"))
    erased = _member(registered, MemberErased(member_id="ann"))
    assert left is not None and left.standing is Standing.DEACTIVATED
    assert erased is not None and erased.standing is Standing.ERASED


SAID: dict[str, Any] = {"member_id": "ann", "languages": ["de"], "time_zone": "UTC"}


def test_what_people_may_ask_about_is_sealed_in_the_event_and_in_the_view() -> None:
    interests = Personal.of_lines(["kafka", "solar cells"])
    said = recorded(ProfileChanged(member_id="ann", ask_me_about=interests, time_zone="UTC"))
    assert "kafka" not in str(said.data)
    view = _member(recorded(registered).event(), said.event())
    assert view is not None and view.ask_me_about is not None and view.ask_me_about.sealed is not None
    assert "kafka" not in str(view.model_dump()) and view.asked_about_before == []


def test_what_was_said_before_it_was_sealed_is_shown_until_its_member_is_erased() -> None:
    profile = ProfileChanged(member_id="ann", time_zone="UTC")
    for kept in (["kafka", "solar cells"], []):
        event = recorded(profile, version=1, data={**SAID, "ask_me_about": kept}).event()
        view = projections.members.evolve(
            _member(recorded(registered).event()), event, recorded(profile), "ann"
        )
        assert view is not None and view.asked_about_before == kept and view.ask_me_about is None
        assert MemberView.model_validate(view.model_dump()) == view, "it can be stored"
        erased = MemberErased(member_id="ann")
        view = projections.members.evolve(view, erased, recorded(erased), "ann")
        assert view is not None and view.asked_about_before == []


def test_what_a_source_called_somebody_is_dropped_when_it_is_read() -> None:
    event = recorded(registered)
    told = json.loads(event.data) | {"imported_as": "Unmistakable Name"}
    told.pop("author_digest")
    read = recorded(registered, version=1, data=told).event()
    assert isinstance(read, MemberRegistered) and read.author_digest == ""
    view = _member(read)
    assert view is not None and "Unmistakable" not in f"{read} {view.model_dump()}"
    of_here = recorded(registered, version=1, data={**told, "imported_as": None}).event()
    assert isinstance(of_here, MemberRegistered) and of_here.author_digest is None


def test_of_the_erased_neither_place_nor_what_they_read_is_shown() -> None:
    place = Place(units=("all", "sales"), title="Baker of Lund", manager_id="bo", office="lund", country="SE")
    view = _member(
        recorded(registered).event(),
        MemberPlaced(member_id="ann", place=place, place_before=Place()),
        ProfileChanged(member_id="ann", languages=("fi",), time_zone="UTC"),
        MemberErased(member_id="ann"),
    )
    assert view is not None
    assert (view.units, view.title, view.manager_id, view.office, view.country) == ([], "", None, None, None)
    assert view.languages == []


def test_a_revoked_session_is_gone_and_a_used_one_says_when() -> None:
    def fold(view: SessionView | None, event: Event) -> SessionView | None:
        return projections.sessions.evolve(view, event, recorded(event), "s1")

    view = fold(None, recorded(opened).event())
    later = NOON + timedelta(hours=2)
    used = fold(view, SessionUsed(session_id="s1", used_at=later))
    assert used is not None and used.last_used == later
    assert fold(used, SessionRevoked(session_id="s1")) is None


def test_a_revoked_access_token_is_gone_and_a_used_one_says_when() -> None:
    def fold(view: AccessTokenView | None, event: Event) -> AccessTokenView | None:
        return projections.access_tokens.evolve(view, event, recorded(event), "t1")

    view = fold(None, recorded(issued).event())
    assert view is not None and view.last_used is None
    used = fold(view, AccessTokenUsed(token_id="t1", used_at=NOON))
    assert used is not None and used.last_used == NOON
    assert fold(used, AccessTokenRevoked(token_id="t1")) is None
