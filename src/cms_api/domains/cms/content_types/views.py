"""Content types as they are shown."""

import msgspec

from cms_api.domains.cms.content_types.interface import TypeView
from cms_api.domains.cms.content_types.ports import TypeRecord


def view(record: TypeRecord) -> TypeView:
    """A type as it is shown."""
    definition, keys = record.definition, {field.id: field.key for field in record.definition.fields}
    return TypeView(
        id=record.id,
        key=record.key,
        name=definition.name,
        description=definition.description,
        singleton=definition.singleton,
        title_field=definition.title_field,
        path=definition.path,
        fields=definition.fields,
        indexes=tuple(
            msgspec.structs.replace(index, field=keys[index.field])
            for index in record.indexes
            if index.field in keys
        ),
        migration=record.migration_id,
        version=record.version,
        created_at=record.created_at,
        updated_at=record.updated_at,
        created_by=record.created_by,
        updated_by=record.updated_by,
    )
