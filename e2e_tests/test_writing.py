"""Members write: a page begins, changes, meets somebody else's change, and nothing typed is lost."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from e2e_tests.people import Person
from shared.runtime.ids import new_id

Enter = Callable[..., Person]


def begin(writer: Person, title: str, text: str) -> str:
    """A page in a space of its own; its address."""
    writer.go("/wiki/new")
    writer.page.get_by_label("Title").fill(title)
    writer.page.get_by_label("Text", exact=True).fill(text)
    writer.page.get_by_label("Or a new space").fill(f"Space {new_id()}")
    writer.press("Publish")
    writer.sees("The page is published.")
    return writer.path


def change(writer: Person, page: str, text: str, note: str) -> None:
    writer.go(f"{page}/edit")
    writer.page.get_by_label("Text", exact=True).fill(text)
    writer.page.get_by_label("What did you change?").fill(note)


@pytest.mark.parametrize("script", [True, False])
def test_a_page_is_written_changed_and_read_by_a_colleague(enter: Enter, script: bool) -> None:
    writer = enter("eskil", java_script_enabled=script)
    page = begin(writer, "Opening the shop", "Turn on the lights.\n\n## Then\n\nMake coffee.")
    writer.page.locator("main").get_by_role("link", name="Edit", exact=True).click()
    text = writer.page.get_by_label("Text", exact=True)
    expect(text).to_have_value("# Opening the shop\n\nTurn on the lights.\n\n## Then\n\nMake coffee.")
    change(writer, page, "# Opening the shop\n\nMake coffee first.", "Coffee first")
    writer.press("Save")
    writer.sees("The page is saved.")
    writer.sees("Make coffee first.")
    reader = enter("jonas")
    reader.go(page)
    reader.reloads_until("Make coffee first.")
    reader.page.locator("main").get_by_role("link", name="Compare", exact=True).click()
    expect(reader.page.locator("ins").first).to_be_visible()


def test_the_preview_follows_the_typing(enter: Enter) -> None:
    writer = enter("eskil")
    writer.go("/wiki/new")
    writer.page.get_by_label("Text", exact=True).press_sequentially("Some **bold** words")
    expect(writer.page.locator("#preview strong")).to_have_text("bold")


def test_two_people_save_at_once_and_both_texts_stay(enter: Enter) -> None:
    first, second = enter("eskil"), enter("jonas")
    page = begin(first, "Till", "Press green.")
    second.go(page)
    second.reloads_until("Press green.")
    change(second, page, "# Till\n\nPress green twice.", "Twice")
    change(first, page, "# Till\n\nPress red.", "Red")
    first.press("Save")
    first.sees("The page is saved.")
    second.press("Save")
    second.sees("Somebody saved before you")
    second.sees("Eskil Demo (editor) saved version 2")
    expect(second.page.get_by_label("Your text")).to_have_value("# Till\n\nPress green twice.")
    expect(second.page.get_by_label("Their text, to copy from")).to_have_value("# Till\n\nPress red.")
    second.page.get_by_label("Your text").fill("# Till\n\nPress red twice.")
    second.press("Save your text as the next version")
    second.sees("The page is saved.")
    second.sees("Press red twice.")
    second.go(f"{page}/history")
    assert second.page.locator("#revisions > li").count() == 3


def test_what_is_typed_survives_a_closed_tab(enter: Enter) -> None:
    writer = enter("eskil")
    page = begin(writer, "Draft", "As it was.")
    change(writer, page, "# Draft\n\nHalf a thou", "")
    writer.sees("Draft kept on this device")
    writer.go("/")
    writer.go(f"{page}/edit")
    writer.sees("You wrote something here that was not saved:")
    writer.press("Take it up again")
    expect(writer.page.get_by_label("Text", exact=True)).to_have_value("# Draft\n\nHalf a thou")
    writer.press("Save")
    writer.sees("Half a thou")
    writer.go(f"{page}/edit")
    expect(writer.page.locator("[data-draft-offer]")).to_be_hidden()


def test_a_page_is_moved_deleted_and_brought_back(enter: Enter) -> None:
    keeper = enter("eskil")
    page = begin(keeper, "Keeper", "Text.")
    keeper.page.locator("main details.menu summary").click()
    keeper.follow("Move")
    keeper.page.get_by_label("Path").fill("kept/here")
    keeper.page.get_by_label("Why?").fill("Tidying")
    keeper.press("Move")
    keeper.sees("The page has moved.")
    keeper.go(f"{page}/delete")
    keeper.page.locator("main form button.danger").click()
    keeper.sees("This page was deleted")
    keeper.press("Bring it back")
    keeper.sees("The page is back.")


def test_errors_stand_beside_the_field_and_keep_what_was_typed(enter: Enter) -> None:
    writer = enter("eskil")
    writer.go("/wiki/new")
    writer.page.get_by_label("Title").fill("Wrong path")
    writer.page.get_by_label("Text", exact=True).fill("A long text.")
    writer.page.get_by_label("Or a new space").fill("A space")
    writer.page.get_by_label("Path").fill("../up")
    writer.press("Publish")
    field = writer.page.get_by_label("Path")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("cannot hold the parts"))
    expect(writer.page.get_by_label("Text", exact=True)).to_have_value("A long text.")
