"""An import-linter contract: these modules import the standard library and the packages named here only."""

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class AllowedContract(Contract):
    """Options: `source_modules` (with all below them) and `allowed_packages` (from outside the house)."""

    type_name = "allowed"

    source_modules = fields.ListField(subfield=fields.StringField())
    allowed_packages = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        allowed = {*self.allowed_packages, *sys.stdlib_module_names}  # type: ignore[misc]
        found: list[str] = []
        for package in self.source_modules:  # type: ignore[attr-defined]
            for module in sorted({package, *graph.find_descendants(package)}):
                for imported in sorted(graph.find_modules_directly_imported_by(module)):
                    if graph.is_module_squashed(imported) and imported.split(".")[0] not in allowed:
                        found.append(f"{module} -> {imported}")
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["found"]:
            output.print_error(f"{line}: not among the allowed packages", bold=False)
        output.new_line()
