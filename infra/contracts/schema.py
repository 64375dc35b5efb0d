"""The JSON Schema (2020-12) of an event, as its readers must be ready to find it."""

from typing import Any

from infra.contracts.catalogue import Contract

DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Where the event is sent (null: it stays in its stream), and whose key seals a personal field.
TOPIC = "x-topic"
PERSONAL = "x-personal-of"


def document(contract: Contract) -> dict[str, Any]:
    """The schema of today's version."""
    event = contract.event
    made = event.model_json_schema(mode="validation")
    for field, subject in event.personal.items():
        made["properties"][field][PERSONAL] = subject
    return {
        "$schema": DIALECT,
        "$id": f"urn:fikarum:{contract.service}:{contract.name}:{event.version}",
        TOPIC: event.topic,
        **made,
    }
