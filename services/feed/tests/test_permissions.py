"""Who may do what in the feed: one sentence for each permission."""

import pytest

from services.feed.domain.permissions import RULES, Asker, demand, may
from shared.kernel.errors import Forbidden

STAFF = Asker("ann", frozenset(), staff=True)
GUEST = Asker("gil", frozenset(), staff=False)
IN_GROUP = Asker("gil", frozenset(), staff=False, belongs=True)


def staff(*roles: str) -> Asker:
    return Asker("roy", frozenset(roles), staff=True)


def test_staff_write_to_the_house_and_guests_do_not() -> None:
    assert may("feed:post", STAFF) and not may("feed:post", GUEST) and not may("feed:post", IN_GROUP)


def test_only_members_of_a_group_write_in_it() -> None:
    assert may("feed:post-in-group", IN_GROUP) and not may("feed:post-in-group", STAFF)


@pytest.mark.parametrize("role", ["editor", "leader", "board", "admin"])
def test_editors_leaders_board_and_admins_announce(role: str) -> None:
    assert may("feed:announce", staff(role))
    assert not may("feed:announce", Asker("gil", frozenset({role}), staff=False, belongs=True))


@pytest.mark.parametrize("role", ["translator", "ambassador", "coach", "operator"])
def test_nobody_else_announces(role: str) -> None:
    assert not may("feed:announce", staff(role)) and not may("feed:announce", STAFF)


@pytest.mark.parametrize("permission", ["feed:comment", "feed:react"])
def test_guests_take_part_in_their_groups_only(permission: str) -> None:
    assert may(permission, STAFF) and may(permission, IN_GROUP) and not may(permission, GUEST)


def test_only_its_author_edits() -> None:
    assert may("feed:edit", STAFF, "ann") and not may("feed:edit", STAFF, "bob")
    assert not may("feed:edit", staff("editor", "admin"), "bob")


def test_who_owns_the_group_deletes_what_is_in_it_and_changes_nothing() -> None:
    owner = Asker("own", frozenset(), staff=True, belongs=True, owns=True)
    assert may("feed:delete", owner, "bob")
    assert not may("feed:edit", owner, "bob") and not may("feed:report", owner, "bob")


def test_its_author_editors_and_admins_delete() -> None:
    assert may("feed:delete", GUEST, "gil") and not may("feed:delete", STAFF, "bob")
    assert may("feed:delete", staff("editor"), "bob") and may("feed:delete", staff("admin"), "bob")
    assert not may("feed:delete", staff("leader", "operator"), "bob")


def test_its_author_translators_and_editors_correct_its_language() -> None:
    assert may("feed:correct-language", STAFF, "ann") and not may("feed:correct-language", STAFF, "bob")
    for role in ("translator", "editor", "admin"):
        assert may("feed:correct-language", staff(role), "bob")


def test_its_sender_and_editors_see_who_has_read_it() -> None:
    assert may("feed:report", STAFF, "ann") and may("feed:report", staff("editor"), "bob")
    assert not may("feed:report", staff("leader", "coach"), "bob")


@pytest.mark.parametrize("permission", sorted(RULES))
def test_a_refusal_names_the_permission_and_what_to_do(permission: str) -> None:
    with pytest.raises(Forbidden) as refused:
        demand(permission, GUEST, "bob")
    assert refused.value.code == f"may-not-{permission.removeprefix('feed:')}"
    assert str(refused.value).endswith(".")
