"""One description of the API from those of the services."""

from typing import Any

from services.gateway.openapi import merge

_REF = "#/components/schemas/"


def described(path: str, model: str) -> dict[str, Any]:
    answer = {"content": {"application/json": {"schema": {"$ref": f"{_REF}{model}"}}}}
    refused = {"content": {"application/problem+json": {"schema": {"$ref": f"{_REF}Problem"}}}}
    operation = {
        "operationId": "read",
        "security": [{"HTTPBearer": []}],
        "responses": {"200": answer, "4XX": refused},
    }
    return {
        "openapi": "3.1.0",
        "paths": {
            path: {"get": operation},
            "/operate/views": {"get": operation},
            "/keys": {"get": operation},
        },
        "components": {
            "schemas": {model: {"properties": {"next": {"$ref": f"{_REF}{model}"}}}, "Problem": {}}
        },
    }


def test_every_service_stands_under_its_public_address() -> None:
    whole = merge({"wiki": described("/wiki/pages", "Item"), "identity": described("/members", "Item")})
    assert whole["openapi"] == "3.1.0"
    assert list(whole["paths"]) == [
        "/members",
        "/operate/identity/views",
        "/operate/wiki/views",
        "/wiki/pages",
    ]
    assert whole["servers"] == [{"url": "/api/v1"}]


def test_models_of_one_name_stay_apart_and_shared_ones_are_told_once() -> None:
    whole = merge({"wiki": described("/wiki/pages", "Item"), "identity": described("/members", "Item")})
    assert set(whole["components"]["schemas"]) == {"WikiItem", "IdentityItem", "Problem"}
    answers = whole["paths"]["/wiki/pages"]["get"]["responses"]
    assert answers["200"]["content"]["application/json"]["schema"] == {"$ref": f"{_REF}WikiItem"}
    assert answers["4XX"]["content"]["application/problem+json"]["schema"] == {"$ref": f"{_REF}Problem"}
    assert whole["components"]["schemas"]["WikiItem"]["properties"]["next"] == {"$ref": f"{_REF}WikiItem"}


def test_operations_have_names_of_their_own_and_ask_for_a_bearer_token() -> None:
    whole = merge({"wiki": described("/wiki/pages", "Item"), "identity": described("/members", "Item")})
    operation = whole["paths"]["/members"]["get"]
    assert operation["operationId"] == "identity_read"
    assert operation["security"] == [{"bearer": []}]
    assert whole["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
