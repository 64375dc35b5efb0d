"""Why a change of events is not accepted: every refusal, with the sentence that says what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jsonschema import Draft202012Validator

from infra.contracts import asyncapi, schema
from infra.contracts.catalogue import Contract
from infra.contracts.compatible import Breach, breaches
from infra.contracts.tree import Tree, read, text
from shared.kernel.errors import Undecodable
from shared.kernel.events import decode, has_upcaster

_LADDER = (
    "Add an optional field instead; or raise the event's `version` and add an @upcaster; "
    "or give the new fact a new event name."
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a change is not accepted. `code` is stable, `sentence` says what to do."""

    code: str
    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}"


def check(tree: Tree, contracts: Sequence[Contract]) -> list[Refusal]:
    """Everything that speaks against the tree as it is."""
    return [*breaking(tree, contracts), *_drift(tree, contracts), *_examples(tree)]


def breaking(tree: Tree, contracts: Sequence[Contract]) -> list[Refusal]:
    """What rewriting the generated files would not mend."""
    committed = tree.versions("schemas")
    found = [refusal for contract in contracts for refusal in _contract(tree, contract, committed)]
    return [*found, *_gone(tree, contracts, committed)]


def released(tree: Tree, earlier: Tree) -> list[Refusal]:
    """What `earlier` promised and `tree` no longer keeps, whether or not its files were rewritten."""
    found: list[Refusal] = []
    for (service, name), versions in earlier.versions("schemas").items():
        for version in sorted(versions):
            path = tree.schema(service, name, version)
            before, after = read(earlier.schema(service, name, version)), read(path)
            if before is not None and after is None:
                found.append(_deleted(tree, service, name, version))
            elif before is not None and after is not None:
                found += _changes(tree.said(path), before, after)
    for (service, name), versions in earlier.versions("examples").items():
        for version in sorted(versions):
            path = tree.example(service, name, version)
            if read(path) != read(earlier.example(service, name, version)):
                found.append(_rewritten(tree.said(path)))
    return found


def _contract(
    tree: Tree, contract: Contract, committed: Mapping[tuple[str, str], set[int]]
) -> Iterator[Refusal]:
    name, today = contract.name, contract.event.version
    versions = committed.get((contract.service, name), set())
    yield from _place(contract)
    if newer := [version for version in sorted(versions) if version > today]:
        yield Refusal(
            "version-went-back",
            name,
            f"its version is {today}, but version {newer[-1]} is committed. "
            f"Set `version` to {newer[-1]} or higher: a version number is used once.",
        )
    for version in range(1, today):
        if version not in versions:
            yield _deleted(tree, contract.service, name, version)
        if not has_upcaster(contract.event, version):
            yield Refusal(
                "no-upcaster",
                name,
                f"nothing leads from version {version} to {version + 1}. "
                f"Add @upcaster({name}, from_version={version}) beside the class.",
            )
    path = tree.schema(contract.service, name, today)
    if before := read(path):
        yield from _changes(tree.said(path), before, schema.document(contract))


def _place(contract: Contract) -> Iterator[Refusal]:
    """Public events are in `contracts`, private ones in their service's domain."""
    module, topic = contract.event.__module__, contract.event.topic
    allowed = (
        [f"{contract.service}.events"]
        if module.startswith("contracts.")
        else [f"{contract.service}.private", None]
    )
    if topic not in allowed:
        yield Refusal(
            "wrong-topic",
            contract.name,
            f"{module} may send to {' or '.join(map(str, allowed))}, not to {topic}. "
            "Move the class (public: contracts, private: the service's domain) or mend its topic.",
        )


def _changes(where: str, before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[Refusal]:
    for breach in breaches(before, after):
        yield Refusal(f"field-{breach.kind}", where, f"{breach.field} {breach.what}. {_advice(breach)}")
    if before.get(schema.TOPIC) != after.get(schema.TOPIC):
        yield Refusal(
            "topic-changed",
            where,
            f"the topic was {before.get(schema.TOPIC)} and is {after.get(schema.TOPIC)}. "
            "What was sent stays where it is: keep the topic, or give the event a new name.",
        )


def _advice(breach: Breach) -> str:
    if breach.kind == "removed":
        return f"Keep the field, readers of old events still meet it. {_LADDER}"
    if breach.kind == "required":
        return f"What is already recorded lacks it: give it a default. {_LADDER}"
    return f"What is already recorded has the old form. {_LADDER}"


def _deleted(tree: Tree, service: str, name: str, version: int) -> Refusal:
    return Refusal(
        "schema-deleted",
        tree.said(tree.schema(service, name, version)),
        "it is missing, and schemas are kept for ever. Restore it from git.",
    )


def _gone(
    tree: Tree, contracts: Sequence[Contract], committed: Mapping[tuple[str, str], set[int]]
) -> Iterator[Refusal]:
    known = {(contract.service, contract.name) for contract in contracts}
    for (service, name), versions in committed.items():
        if (service, name) not in known:
            yield Refusal(
                "event-gone",
                tree.said(tree.schema(service, name, max(versions))),
                f"no class {name} of {service} is left to read it. "
                "Keep the class: what was recorded must be read for ever, even if nothing new is.",
            )


def _drift(tree: Tree, contracts: Sequence[Contract]) -> Iterator[Refusal]:
    expected = {
        tree.schema(c.service, c.name, c.event.version): text(schema.document(c)) for c in contracts
    } | {tree.asyncapi: text(asyncapi.document(contracts, versions(tree, contracts)))}
    for path, content in expected.items():
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            what = "differs from the event classes" if path.exists() else "is missing"
            yield Refusal("drift", tree.said(path), f"it {what}. Run `make contracts` and commit the result.")


def versions(tree: Tree, contracts: Sequence[Contract]) -> dict[str, set[int]]:
    """The versions that readers may meet, by event name: the committed ones and today's."""
    committed = tree.versions("schemas")
    return {c.name: committed.get((c.service, c.name), set()) | {c.event.version} for c in contracts}


def _examples(tree: Tree) -> Iterator[Refusal]:
    """Every example decodes, and holds only what its schema knows: so a schema cannot lose a field unseen."""
    found = tree.versions("examples")
    for (service, name), numbers in tree.versions("schemas").items():
        for version in sorted(numbers - found.get((service, name), set())):
            yield Refusal(
                "example-missing",
                tree.said(tree.example(service, name, version)),
                "it is missing. Restore it, examples are kept for ever; `make contracts` makes a new one.",
            )
    for (service, name), numbers in found.items():
        for version in sorted(numbers):
            yield from _example(tree, service, name, version)


def _example(tree: Tree, service: str, name: str, version: int) -> Iterator[Refusal]:
    path = tree.example(service, name, version)
    said, content = tree.said(path), path.read_bytes()
    try:
        decode(name, version, content)
    except Undecodable as error:
        yield Refusal(
            "example-unreadable",
            said,
            f"it no longer reads ({_first_line(error)}). Mend the class or its upcasters, never the example.",
        )
        return
    document, committed = read(path), read(tree.schema(service, name, version))
    if document is None or committed is None:
        return
    problems = [error.message for error in Draft202012Validator(committed).iter_errors(document)]
    problems += [f"{field} is unknown" for field in document if field not in committed.get("properties", {})]
    if problems:
        yield Refusal(
            "example-unfit",
            said,
            f"it does not fit its schema ({problems[0]}). Restore what was committed.",
        )


def _rewritten(where: str) -> Refusal:
    return Refusal(
        "example-rewritten",
        where,
        "it is not what was released. Restore it: an example is the proof that old events still read.",
    )


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
