"""An operator looks after the platform."""

from collections.abc import Callable

from playwright.sync_api import expect

from e2e_tests.people import Person

Enter = Callable[..., Person]


def test_an_operator_sees_how_everything_does_and_builds_a_view_anew(enter: Enter) -> None:
    operator = enter("alva", locale="en-GB")
    operator.go("/settings")
    operator.page.locator("main").get_by_role("button", name="English").click()
    operator.go("/operate")
    operator.sees("Everything runs")
    row = operator.page.locator("tr", has_text="wiki.pages")
    expect(row).to_contain_text("1")
    row.get_by_role("button", name="Rebuild").click()
    operator.sees("The view is being built anew.")

    def generation() -> int:
        operator.page.reload()
        return int(operator.page.locator("tr", has_text="wiki.pages").locator("td").first.inner_text())

    for _ in range(300):
        if generation() == 2:
            break
        operator.page.wait_for_timeout(100)
    assert generation() == 2


def test_others_do_not_even_see_that_there_is_such_a_page(enter: Enter) -> None:
    reader = enter("eskil")
    expect(reader.page.get_by_role("link", name="Operate")).to_have_count(0)
    reader.go("/operate")
    reader.sees("There is nothing here")
