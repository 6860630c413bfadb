"""What the lists of a type's entries can be sorted by and filtered on."""

from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.fields import (
    RELATIONS,
    BooleanField,
    DateField,
    DateTimeField,
    EnumField,
    Field,
    MediaField,
    NumberField,
    ReferenceField,
    ReferencesField,
    SlugField,
    TextField,
)
from cms_api.domains.cms.documents.interface import DOCUMENTS
from cms_api.kernel.paging import FieldType, Listing, SortKey

_KINDS: dict[type, FieldType] = {
    TextField: "text",
    EnumField: "text",
    SlugField: "text",
    NumberField: "number",
    BooleanField: "boolean",
    DateField: "date",
    DateTimeField: "datetime",
    MediaField: "uuid",
    ReferenceField: "uuid",
    ReferencesField: "uuid",
}


def filterable(definition: Definition, *, is_public: bool = False) -> dict[str, tuple[Field, FieldType]]:
    """The fields that can be filtered on. Restricted ones can't: a filter tells what they say."""
    allowed = ("public",) if is_public else ("public", "internal")
    return {
        field.key: (field, _KINDS[type(field)])
        for field in definition.fields
        if type(field) in _KINDS and field.visibility in allowed
    }


def sortable(definition: Definition, *, is_public: bool = False) -> dict[str, tuple[Field, FieldType]]:
    """The fields that can be sorted by: single values."""
    return {
        key: found
        for key, found in filterable(definition, is_public=is_public).items()
        if not isinstance(found[0], RELATIONS)
    }


def listing_of(definition: Definition) -> Listing:
    """The listing of management."""
    filters = {key: kind for key, (_, kind) in filterable(definition).items()}
    slugs: dict[str, FieldType] = {
        f"{key}.slug": "text"
        for key, (field, _) in filterable(definition).items()
        if isinstance(field, (ReferenceField, ReferencesField))
    }
    system: dict[str, FieldType] = {k: v for k, v in DOCUMENTS.filters.items() if k != "title"}
    return Listing(
        sorts=("created_at", "updated_at", *sortable(definition)),
        filters={**system, "translation_of": "uuid", **filters, **slugs},
        sort=DOCUMENTS.sort,
    )


def public_listing_of(definition: Definition) -> Listing:
    """The listing of delivery."""
    found = filterable(definition, is_public=True)
    filters = {key: kind for key, (_, kind) in found.items()}
    slugs: dict[str, FieldType] = {
        f"{key}.slug": "text"
        for key, (field, _) in found.items()
        if isinstance(field, (ReferenceField, ReferencesField))
    }
    system: dict[str, FieldType] = {
        "id": "uuid",
        "slug": "text",
        "locale": "text",
        "published_at": "timestamptz",
        "first_published_at": "timestamptz",
        "updated_at": "timestamptz",
        "author": "uuid",
        "author.slug": "text",
    }
    return Listing(
        sorts=("published_at", "updated_at", *sortable(definition, is_public=True)),
        filters={**system, **filters, **slugs},
        sort=(SortKey("published_at", descending=True),),
    )
