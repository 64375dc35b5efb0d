"""The public events as one AsyncAPI 3 document: topics as channels, every committed version as a message."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from infra.contracts.catalogue import Contract

#: CloudEvents 1.0 in binary mode: what every record's headers say.
HEADERS: Mapping[str, str] = {
    "content-type": "always application/json",
    "ce_specversion": "always 1.0",
    "ce_id": "the event's id, the same at every delivery",
    "ce_source": "the service that recorded it, as /wiki",
    "ce_type": "fikarum.<Event>.v<schema version>",
    "ce_subject": "the stream that it belongs to; also the record's key",
    "ce_time": "when it happened, as the command said",
    "ce_recordedtime": "when the store recorded it; never runs back within a stream",
    "ce_sequence": "its position in the stream, counted from 1",
    "ce_correlationid": "one id for all that follows from one request",
    "ce_commitid": "the commit that holds it; its events were recorded together",
    "ce_commitversion": "the position of the commit's first event",
}
OPTIONAL_HEADERS: Mapping[str, str] = {
    "ce_causationid": "the event that this one follows from",
    "ce_memberid": "the member who did it",
    "ce_imported": "true where it was brought in from elsewhere: nobody is notified",
}
_TIMES = {"ce_time", "ce_recordedtime"}


def document(contracts: Sequence[Contract], versions: Mapping[str, Collection[int]]) -> dict[str, Any]:
    """`versions` are the schema versions of each event, by name."""
    public = [contract for contract in contracts if contract.public]
    topics = sorted({str(contract.event.topic) for contract in public})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fikarum events",
            "version": "1.0.0",
            "description": "What the services of Fikarum tell each other, and whoever reads their topics. "
            "Old versions stay in the log for ever: a reader meets every version listed here.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic, public, versions) for topic in topics},
        "operations": {f"{topic}.send": _operation(topic) for topic in topics},
        "components": {
            "messages": {
                _key(contract, version): _message(contract, version)
                for contract in public
                for version in sorted(versions[contract.name])
            },
            "schemas": {"CloudEvent": _headers()},
        },
    }


def _key(contract: Contract, version: int) -> str:
    return f"{contract.name}.v{version}"


def _channel(
    topic: str, public: Sequence[Contract], versions: Mapping[str, Collection[int]]
) -> dict[str, Any]:
    keys = [
        _key(contract, version)
        for contract in public
        if contract.event.topic == topic
        for version in sorted(versions[contract.name])
    ]
    return {
        "address": topic,
        "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in keys},
        "bindings": {"kafka": {"topic": topic, "bindingVersion": "0.5.0"}},
    }


def _operation(topic: str) -> dict[str, Any]:
    return {"action": "send", "channel": {"$ref": f"#/channels/{topic}"}}


def _message(contract: Contract, version: int) -> dict[str, Any]:
    address = f"schemas/{contract.service}/{contract.name}.v{version}.json"
    message: dict[str, Any] = {
        "name": f"fikarum.{contract.name}.v{version}",
        "title": contract.name,
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/CloudEvent"},
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": address},
        },
        "bindings": {
            "kafka": {"key": {"type": "string", "description": "the stream"}, "bindingVersion": "0.5.0"}
        },
    }
    if version < contract.event.version:
        message["summary"] = f"Recorded before version {version + 1}; nothing new is recorded in this form."
    return message


def _headers() -> dict[str, Any]:
    said = {**HEADERS, **OPTIONAL_HEADERS}
    return {
        "type": "object",
        "description": "CloudEvents 1.0, binary mode over Kafka.",
        "properties": {
            name: {"type": "string", "description": what}
            | ({"format": "date-time"} if name in _TIMES else {})
            for name, what in said.items()
        },
        "required": list(HEADERS),
    }
