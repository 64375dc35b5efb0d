"""A form is accepted only from a page of ours, shown to this very browser."""

import base64

import pytest
from starlette.requests import Request

from services.gateway import forgery
from shared.kernel.errors import Forbidden


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw})


def test_a_token_is_good_for_the_cookie_it_was_made_for() -> None:
    forgery.check_token(forgery.token_for("a secret"), "a secret")


def test_two_pages_show_different_tokens_and_both_are_good() -> None:
    first, second = forgery.token_for("a secret"), forgery.token_for("a secret")
    assert first != second
    forgery.check_token(first, "a secret")
    forgery.check_token(second, "a secret")


@pytest.mark.parametrize(
    "shown",
    [
        None,
        "",
        "x",
        "å" * 20,
        "====",
        "A" * 100_000,
        base64.urlsafe_b64encode(b"\0" * 48).decode(),
        forgery.token_for("another secret"),
        forgery.token_for("a secret")[:-4],
    ],
    ids=["none", "empty", "a letter", "letters", "padding", "long", "zeros", "another's", "cut"],
)
def test_anything_else_is_refused(shown: str | None) -> None:
    with pytest.raises(Forbidden) as refused:
        forgery.check_token(shown, "a secret")
    assert refused.value.code == "form-expired"


def test_without_a_cookie_no_token_is_good() -> None:
    for secret in (None, ""):
        with pytest.raises(Forbidden):
            forgery.check_token(forgery.token_for(""), secret)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "intranet.example", "origin": "https://intranet.example"},
        {"host": "intranet.example:7100", "origin": "http://Intranet.example:7100"},
        {"host": "intranet.example", "sec_fetch_site": "same-origin"},
        {"host": "intranet.example", "sec_fetch_site": "none"},
        {"host": "intranet.example"},
    ],
)
def test_our_own_pages_may_send(headers: dict[str, str]) -> None:
    forgery.check_origin(request(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "intranet.example", "origin": "https://elsewhere.example"},
        {"host": "intranet.example", "origin": "https://intranet.example.elsewhere.example"},
        {"host": "intranet.example", "origin": "https://intranet.example:444"},
        {"host": "intranet.example", "origin": "null"},
        {"host": "intranet.example", "origin": ""},
        {"host": "", "origin": "null"},
        {"host": "intranet.example", "sec_fetch_site": "cross-site"},
        {"host": "intranet.example", "sec_fetch_site": "same-site"},
    ],
)
def test_other_sites_may_not(headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden) as refused:
        forgery.check_origin(request(**headers))
    assert refused.value.code == "foreign-origin"
