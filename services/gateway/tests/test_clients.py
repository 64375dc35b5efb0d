"""What services say becomes a refusal, or the news that they are away."""

import json
from typing import Any

import pytest

from services.gateway.clients import Answer, Away, Malformed, part, refusal
from shared.kernel.errors import Conflict, Forbidden, NotFound, Refused, TooLarge, TooMany, Unauthenticated


def answer(status: int, **problem: Any) -> Answer:
    body = {
        "type": "urn:x",
        "title": "x",
        "status": status,
        "detail": "No {0} way.",
        "code": "no-way",
        **problem,
    }
    return Answer("wiki", status, json.dumps(body).encode(), {})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (413, TooLarge),
        (429, TooMany),
        (422, Refused),
    ],
)
def test_a_refusal_keeps_its_kind_its_code_and_its_sentence(status: int, kind: type[Refused]) -> None:
    refused = refusal(answer(status, field="path", params={"most": 3}))
    assert type(refused) is kind
    assert (refused.code, str(refused), refused.field) == ("no-way", "No {0} way.", "path")
    assert refused.params == {"most": 3}


def test_every_fault_of_a_form_is_kept() -> None:
    errors = [{"field": "name", "message": "Too long", "code": "string-too-long"}]
    refused = refusal(answer(422, code="invalid-input", errors=errors))
    assert isinstance(refused, Malformed)
    assert [(fault.field, fault.code) for fault in refused.faults] == [("name", "string-too-long")]


def test_a_service_that_cannot_is_away_and_one_that_broke_has_failed() -> None:
    busy = refusal(answer(503, code="too-busy"))
    broken = refusal(answer(500))
    strange = refusal(Answer("wiki", 502, b"<html>Bad gateway at 10.0.0.7</html>", {}))
    assert isinstance(busy, Away) and not busy.failed and busy.code == "too-busy"
    for away in (broken, strange):
        assert isinstance(away, Away) and away.failed
        assert "10.0.0.7" not in str(away)


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_a_part_of_a_path_cannot_change_the_path(text: str) -> None:
    with pytest.raises(NotFound):
        part(text)


def test_a_part_of_a_path_is_quoted() -> None:
    assert part("a/b?c#d å") == "a%2Fb%3Fc%23d%20%C3%A5"
