"""The API's addresses lead to what is for members, and nowhere else."""

import pytest

from services.gateway.addresses import destination, public
from shared.kernel.errors import NotFound


@pytest.mark.parametrize(
    ("path", "service", "address"),
    [
        ("wiki/pages", "wiki", "/wiki/pages"),
        ("wiki/pages/p1/revisions", "wiki", "/wiki/pages/p1/revisions"),
        ("wiki/pages/a b?c", "wiki", "/wiki/pages/a%20b%3Fc"),
        ("members", "identity", "/members"),
        ("me/language", "identity", "/me/language"),
        ("me/tokens/t1", "identity", "/me/tokens/t1"),
        ("sessions", "identity", "/sessions"),
        ("metrics", "engagement", "/figures"),
        ("metrics/ladder/events", "engagement", "/figures/ladder/events"),
        ("operate/wiki/views", "wiki", "/operate/views"),
        ("operate/identity/parked/e1/mend", "identity", "/operate/parked/e1/mend"),
    ],
)
def test_an_address_belongs_to_one_service(path: str, service: str, address: str) -> None:
    assert destination(path) == (service, address)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tokens",
        "keys",
        "nobody/pages",
        "figures",
        "figures/ladder",
        "health/ready",
        "commits/page-1/1",
        "access-tokens",
        "me/../tokens",
        "wiki/../tokens",
        "wiki/pages/../../operate/views",
        "wiki/./pages",
        "wiki//pages",
        "wiki/pages/",
        "members/..",
        "members/../tokens",
        "operate/wiki",
        "operate/gateway/views",
        "operate/../tokens",
        "operate/wiki/../tokens",
    ],
)
def test_what_is_not_for_members_and_what_climbs_is_nowhere(path: str) -> None:
    with pytest.raises(NotFound):
        destination(path)


@pytest.mark.parametrize(
    ("service", "path", "shown"),
    [
        ("wiki", "/wiki/pages/{page_id}", "/wiki/pages/{page_id}"),
        ("identity", "/me/language", "/me/language"),
        ("identity", "/wiki/pages", None),
        ("identity", "/tokens", None),
        ("identity", "/keys", None),
        ("engagement", "/figures/{name}", "/metrics/{name}"),
        ("engagement", "/metrics", None),
        ("wiki", "/operate/views", "/operate/wiki/views"),
        ("wiki", "/commits/{stream}/{version}", None),
    ],
)
def test_a_services_address_has_one_public_name(service: str, path: str, shown: str | None) -> None:
    assert public(service, path) == shown
    if shown is not None:
        assert destination(shown.removeprefix("/").replace("{", "").replace("}", ""))[0] == service
