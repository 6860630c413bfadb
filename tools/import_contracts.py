"""A contract for import-linter: domains are entered through their doors.

What lies below ``domains/<name>/`` may be imported from within that domain; its ``api`` by
everybody above; the rest only by the adapters that implement its ports and by the bootstrap
module that puts it together, which are found by name. A new domain is covered at birth.
"""

from importlinter import Contract, ContractCheck, fields, output
from typing_extensions import override

DOOR = "api"


class DoorsContract(Contract):
    """``package`` is the root package; ``adapters`` may know of the ports of every domain."""

    type_name = "doors"

    package = fields.StringField()
    adapters = fields.SetField(subfield=fields.StringField())

    @override
    def check(self, graph, verbose):  # noqa: ANN001, ANN201 - the signature is the library's
        domains = f"{self.package}.domains."
        broken = []
        for imported in sorted(graph.modules):
            if not imported.startswith(domains):
                continue
            domain, _, inside = imported.removeprefix(domains).partition(".")
            if inside in ("", DOOR):
                continue
            broken += [
                (importer, imported)
                for importer in sorted(graph.find_modules_that_directly_import(imported))
                if not self._may(importer.removeprefix(f"{self.package}."), domain)
            ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def _may(self, importer: str, domain: str) -> bool:
        folders = (f"domains.{domain}", f"adapters.sqlalchemy.{domain}", f"bootstrap.{domain}")
        known = (*folders, *(f"adapters.{name}" for name in self.adapters))
        return any(importer == name or importer.startswith(f"{name}.") for name in known)

    @override
    def render_broken_contract(self, check):  # noqa: ANN001, ANN201
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} imports {imported}, which is behind its domain's door.")
