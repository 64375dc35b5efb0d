"""Every operation of the API, asked with what its description allows and with what it forbids: no failure of
ours, and no answer but those described."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks as described

from e2e_tests.conftest import Site

#: Questions for each operation in each mode; longer runs are for `make chaos`.
EXAMPLES, MANY = 2, 60
CHECKS = [
    not_a_server_error,
    described.status_code_conformance,
    described.content_type_conformance,
    described.response_schema_conformance,
    described.response_headers_conformance,
]
#: Never ends: server-sent events.
ENDLESS = {"/feed/live"}
#: What would end the asking itself: the asker's own sessions, tokens and membership.
ENDING = {"/sessions/{session_id}", "/access-tokens/{token_id}"}


def operations(site: Site, who: str) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    bearer = site.house.members[who].bearer
    schema = schemathesis.openapi.from_url(f"{site.url}/api/v1/openapi.json", headers=bearer)
    # who asks is known: what strangers are told is tested elsewhere
    schema.config.generation.with_security_parameters = False
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), f"the description has a fault: {result.err()}"
        operation = result.ok()
        if operation.path not in ENDLESS | ENDING:
            yield operation


def faults(operation: APIOperation[Any, Any, Any, Any], bearer: dict[str, str], examples: int) -> list[str]:
    """What each mode finds first."""
    found = []
    modes = list(GenerationMode)
    if not (operation.body or operation.query):
        modes.remove(GenerationMode.NEGATIVE)  # any text may stand in a path
    for mode in modes:

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Case[Any]) -> None:
            response = case.call(headers=bearer)
            case.validate_response(response, checks=CHECKS)

        try:
            one()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, f"nothing can be asked of {operation.label}"
        except Exception as fault:  # every kind of fault is told, and the others are looked for
            found.append(f"{operation.label} ({mode.value}): {str(fault)[:1500]}")
    return found


def _all(site: Site, who: str, examples: int) -> list[str]:
    bearer = site.house.members[who].bearer
    return [fault for one in operations(site, who) for fault in faults(one, bearer, examples)]


@pytest.mark.timeout(600)
def test_every_operation_answers_as_it_is_described(site: Site) -> None:
    assert _all(site, "saga", EXAMPLES) == []


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("who", ["saga", "gemma", "eskil"])
def test_every_operation_answers_as_it_is_described_to_many_questions(site: Site, who: str) -> None:
    assert _all(site, who, MANY) == []
