"""Bad input: told by field and in words, whatever it is, and never a failure of ours."""

import json

import httpx
import pytest
from fastapi.exceptions import RequestValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.kernel.errors import Refused
from shared.runtime import problems
from shared.runtime.imports import ImportedLine
from shared.runtime.problems import LONGEST_FIELD
from shared.runtime.tests.notes import ANN, problem_of


async def _post(client: httpx.AsyncClient, body: str | bytes) -> httpx.Response:
    return await client.post("/notes", content=body, headers={**ANN, "Content-Type": "application/json"})


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "title", "missing"),
        ({"title": "a", "titel": "b"}, "titel", "extra-forbidden"),
        ({"title": 3}, "title", "string-type"),
        ({"title": "a" * 201}, "title", "string-too-long"),
        ({"title": "a", "pinned": "yes"}, "pinned", "bool-type"),
        ({"title": "a", "lines": [{"text": "b"}, {"text": ""}]}, "lines.1.text", "string-too-short"),
        ({"title": "a", "lines": [{"text": "b", "rank": "5"}]}, "lines.0.rank", "int-type"),
        ({"title": "a", "lines": [{"text": "b", "rank": 2**70}]}, "lines.0.rank", "number-too-large"),
        ({"title": "a\0b"}, "title", "text-characters"),
        ({"title": "a\x1bb"}, "title", "text-characters"),
        ({"title": "a\ud800b"}, "title", "string-unicode"),
        ({"title": "a", "anything": {"b": ["\ud800"]}}, "anything", "text-characters"),
        ({"title": "a", "anything": {"\ud800": 1}}, "anything", "text-characters"),
        ({"title": "a", "anything": {"b": 2**70}}, "anything", "number-too-large"),
        ([], "", "model-attributes-type"),
    ],
)
async def test_malformed_input_is_told_by_field(
    client: httpx.AsyncClient, body: object, field: str, code: str
) -> None:
    answer = await _post(client, json.dumps(body))
    problem = problem_of(answer, 422, "invalid-input")
    assert [(fault["field"], fault["code"]) for fault in problem["errors"]] == [(field, code)]
    assert problem["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "json-invalid"),
        (b'{"title": "\xff"}', "unreadable"),
        (b"[" * 15_000, "nested-too-deep"),
        (b'{"title": "a", "lines": [{"text": "b", "rank": ' + b"9" * 5_000 + b"}]}", "unreadable"),
        (b'{"title": "a", "weight": NaN}', "finite-number"),
        (b'{"title": "a", "anything": {"b": 1e999}}', "finite-number"),
        (b'{"title": "a", "anything": ' + b'{"a":' * 40 + b"1" + b"}" * 41, "nested-too-deep"),
        (b'{"title": "a", "anything": ' + b'{"a":' * 900 + b"1" + b"}" * 901, "nested-too-deep"),
        (b"", "missing"),
    ],
)
async def test_what_is_hardly_json_is_refused_in_words(
    client: httpx.AsyncClient, body: bytes, code: str
) -> None:
    answer = await _post(client, body)
    problem = problem_of(answer, 422, "invalid-input")
    assert problem["errors"][0]["code"] == code


async def test_another_kind_of_body_is_told_to_be_json(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes", content=b"title=a", headers={**ANN, "Content-Type": "text/plain"})
    assert problem_of(answer, 422, "invalid-input")["errors"][0]["code"] == "not-json"


async def test_a_made_up_field_name_is_not_repeated_at_length(
    client: httpx.AsyncClient,
) -> None:
    answer = await _post(client, json.dumps({"title": "a", "x" * 5_000: 1}))
    assert len(problem_of(answer, 422, "invalid-input")["field"]) == LONGEST_FIELD
    answer = await _post(client, json.dumps({"title": "a", "\ud800": 1}))
    assert problem_of(answer, 422, "invalid-input")["errors"][0]["code"] == "string-unicode"


@pytest.mark.parametrize(
    "at", ["2026-11-21T09:30:00+01:00:30", "2026-11-21T09:30:00", "2026-11-21", "yesterday", 10**20]
)
def test_what_is_no_time_is_told_in_our_words(at: object) -> None:
    line = {"line": 7, "by": "ann", "at": at}
    with pytest.raises(ValidationError) as wrong:
        ImportedLine.model_validate(line)
    faults = [{**each, "loc": ("body", "lines", 0, *each["loc"])} for each in wrong.value.errors()]
    problem = problems.of_validation(RequestValidationError(faults, body={"lines": [line]}))
    said = "Line 7: This must be a date and a time with its offset, such as 2026-11-21T09:30:00+01:00."
    assert problem.errors and [each.message for each in problem.errors] == [said]
    assert problem.detail == f"lines.0.at: {said}"


async def test_a_lone_surrogate_in_a_refusal_is_spelled_out() -> None:
    answer = problems.answer(problems.of_refusal(Refused("no", "No {what}.", params={"what": "\ud800"})))
    assert b"\\ud800" in answer.body and answer.status_code == 422


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
any_note = st.fixed_dictionaries(
    {},
    optional={
        "title": json_like,
        "lines": json_like,
        "pinned": json_like,
        "anything": json_like,
        "x": json_like,
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(any_note)
async def test_no_json_makes_a_service_fail(client: httpx.AsyncClient, body: object) -> None:
    answer = await _post(client, json.dumps(body))
    assert answer.status_code in {200, 413, 422}
    answer.json()
