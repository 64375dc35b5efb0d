"""Writes what is generated: schemas of today's versions, missing examples, AsyncAPI; never history."""

from collections.abc import Sequence
from pathlib import Path

from infra.contracts import asyncapi, examples, schema
from infra.contracts.catalogue import Contract
from infra.contracts.check import versions
from infra.contracts.tree import Tree, text, write


def write_all(tree: Tree, contracts: Sequence[Contract]) -> tuple[list[Path], list[str]]:
    """The files that changed, and the examples to write by hand. For when nothing is `breaking`."""
    changed: list[Path] = []
    by_hand: list[str] = []
    for contract in contracts:
        service, name, version = contract.service, contract.name, contract.event.version
        path = tree.schema(service, name, version)
        if write(path, text(schema.document(contract))):
            changed.append(path)
        example = tree.example(service, name, version)
        if example.exists():
            continue
        try:
            write(example, examples.payload(contract))
            changed.append(example)
        except examples.NeedsAHand as reason:
            by_hand.append(
                f"{tree.said(example)}: write one payload by hand ({' '.join(str(reason).split())})"
            )
    if write(tree.asyncapi, text(asyncapi.document(contracts, versions(tree, contracts)))):
        changed.append(tree.asyncapi)
    return changed, by_hand
