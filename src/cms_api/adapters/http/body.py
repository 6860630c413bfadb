"""JSON bodies, and what they may be called."""

from collections.abc import Generator
from typing import Any, ClassVar

from litestar.connection import ASGIConnection
from litestar.dto import AbstractDTO, DTOConfig, DTOFieldDefinition
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from cms_api.kernel.errors import UnsupportedMedia
from cms_api.validation import decode

JSON_PATCH = "application/json-patch+json"


class JsonBody(AbstractDTO[Any]):
    """Decodes every JSON body of the application, and tells all the faults of a wrong one."""

    config: ClassVar[DTOConfig] = DTOConfig()
    model_type: type[Any] = object

    _wanted: ClassVar[dict[str, Any]] = {}

    @classmethod
    def create_for_field_definition(
        cls, field_definition: FieldDefinition, handler_id: str, backend_cls: Any = None
    ) -> None:
        del backend_cls
        if field_definition.name == "data":
            cls._wanted[handler_id] = field_definition.raw

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[DTOFieldDefinition, None, None]:
        del model_type
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        del field_definition
        return False

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Reference | Schema:
        del handler_id
        schema: Reference | Schema = schema_creator.for_field_definition(field_definition)
        return schema

    def decode_bytes(self, value: bytes) -> Any:
        connection = self.asgi_connection
        check_media_type(connection)
        return decode(value, self._wanted[connection.route_handler.handler_id])


def check_media_type(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Raise `UnsupportedMedia` unless the body says it is JSON in UTF-8, or says nothing."""
    given = connection.headers.get("content-type", "application/json")
    kind, _, parameters = given.partition(";")
    taken = {"application/json"}
    if connection.scope.get("method") == "PATCH":
        taken.add("application/merge-patch+json")
        if connection.route_handler.opt.get("json_patch"):
            taken.add(JSON_PATCH)
    charset = parameters.replace('"', "").strip().lower()
    if kind.strip().lower() not in taken or charset not in {"", "charset=utf-8", "charset=utf8"}:
        raise UnsupportedMedia(f"Send {' or '.join(sorted(taken))} in UTF-8, not {given[:100]}.")
