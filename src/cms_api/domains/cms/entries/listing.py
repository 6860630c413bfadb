"""What the lists of a type's entries can be asked, through groups, lists, blocks and references as well."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.fields import (
    BlocksField,
    BooleanField,
    DateField,
    DateTimeField,
    EnumField,
    Field,
    GroupField,
    ListField,
    MediaField,
    NumberField,
    ReferenceField,
    ReferencesField,
    SlugField,
    TextField,
)
from cms_api.domains.cms.delivery.interface import BYLINES, LISTINGS
from cms_api.domains.cms.documents.interface import DOCUMENTS, document_kind
from cms_api.domains.cms.entries.interface import EntryView
from cms_api.domains.cms.media.interface import MEDIA
from cms_api.domains.cms.pages.interface import PAGES
from cms_api.domains.cms.posts.interface import POSTS
from cms_api.querying import LOGIC, Fields, FieldType, Listing, Relation, SortKey

KINDS: dict[type, FieldType] = {
    TextField: "text",
    EnumField: "text",
    SlugField: "text",
    NumberField: "number",
    BooleanField: "boolean",
    DateField: "date",
    DateTimeField: "datetime",
}
# What a readers' entry has beside the fields of its type.
OWN = (
    "id", "type", "slug", "status", "author", "authors", "seo", "locale", "version", "published_at",
    "first_published_at", "created_at", "updated_at",
)  # fmt: skip

# What those have besides whose type has addresses.
ADDRESSED = (*OWN, "path")

Definitions = Mapping[str, Definition]


class Face(NamedTuple):
    """What one face shows: of entries beside their own fields, of files, and of the built-in types."""

    visible: tuple[str, ...]
    system: Fields
    files: Fields
    built_in: Mapping[str, Callable[[], Fields]]


PUBLIC = Face(
    ("public",),
    Fields(
        filters={
            "id": "uuid",
            "slug": "text",
            "locale": "text",
            "published_at": "timestamptz",
            "first_published_at": "timestamptz",
            "created_at": "timestamptz",
            "updated_at": "timestamptz",
            "author": "uuid",
            "authors": "uuid",
        },
        relations=BYLINES,
        sorts=("published_at", "updated_at"),
        shown=OWN,
    ),
    LISTINGS["media"],
    {"post": lambda: LISTINGS["posts"], "page": lambda: LISTINGS["pages"]},
)
MANAGED = Face(
    ("public", "internal"),
    Fields(
        filters={k: v for k, v in DOCUMENTS.filters.items() if k != "title"} | {"translation_of": "uuid"},
        relations=DOCUMENTS.relations,
        sorts=("created_at", "updated_at"),
        shown=EntryView.__struct_fields__,
    ),
    MEDIA,
    {"post": lambda: POSTS, "page": lambda: PAGES},
)


# What any type's entries can be asked, where it is not known which type.
ANY_ENTRIES = Listing(
    filters=PUBLIC.system.filters,
    relations=PUBLIC.system.relations,
    sorts=PUBLIC.system.sorts,
    shown=OWN,
    expands=True,
    has_texts=True,
    sort=(SortKey("published_at", descending=True),),
)


def own_of(definition: Definition) -> tuple[str, ...]:
    """What the entries of a type have besides its fields."""
    return OWN if definition.path is None else ADDRESSED


def seen(fields: Iterable[Field], face: Face) -> Iterator[Field]:
    """The fields that can be asked about. Restricted ones can't: a filter tells what they say."""
    return (field for field in fields if field.visibility in face.visible and field.key not in LOGIC)


def fields_of(fields: Iterable[Field], face: Face, definitions: Definitions) -> Fields:
    """What can be asked about the fields of a type, a group or a block."""
    filters: dict[str, FieldType] = {}
    relations: dict[str, Relation] = {}
    sorts: list[str] = []
    shown: list[str] = []
    for field in seen(fields, face):
        shown.append(field.key)
        bare = field.of if isinstance(field, ListField) else field
        if (kind := KINDS.get(type(bare))) is not None:
            filters[field.key] = kind
            if bare is field:
                sorts.append(field.key)
        elif (relation := _relation(bare, face, definitions, is_listed=bare is not field)) is not None:
            relations[field.key] = relation
            if relation.hops:
                filters[field.key] = "uuid"
    return Fields(filters=filters, relations=relations, sorts=tuple(sorts), shown=tuple(shown))


def _relation(field: Field, face: Face, definitions: Definitions, *, is_listed: bool) -> Relation | None:
    match field:
        case MediaField():
            return Relation(fields=lambda: face.files, is_many=is_listed, kinds=("media",))
        case ReferenceField() | ReferencesField():
            is_many = is_listed or isinstance(field, ReferencesField)
            return Relation(
                fields=lambda: targets(field.types, face, definitions),
                is_many=is_many,
                kinds=tuple(map(document_kind, targeted(field.types, face, definitions))),
            )
        case GroupField():
            parts = field.fields
            return Relation(fields=lambda: fields_of(parts, face, definitions), is_many=is_listed, hops=0)
        case BlocksField() if not is_listed:
            return Relation(fields=lambda: _blocks(field, face, definitions), is_many=True, hops=0)
        case _:
            return None


def _blocks(field: BlocksField, face: Face, definitions: Definitions) -> Fields:
    variants = [fields_of(one.fields, face, definitions) for one in field.variants]
    found = merged(variants)
    return Fields(
        filters={"type": "text", **found.filters},
        relations=found.relations,
        shown=("id", "type", *found.shown),
    )


def targeted(types: tuple[str, ...], face: Face, definitions: Definitions) -> tuple[str, ...]:
    """Those of some types that are there, all where none are named."""
    known = (*face.built_in, *definitions)
    return tuple(key for key in types if key in known) if types else known


def targets(types: tuple[str, ...], face: Face, definitions: Definitions) -> Fields:
    """What documents of some types have, of any where none are named."""
    found = [
        face.built_in[key]() if key in face.built_in else whole(definitions[key], face, definitions)
        for key in targeted(types, face, definitions)
    ]
    return merged(found) if found else face.system


def whole(definition: Definition, face: Face, definitions: Definitions) -> Fields:
    """All that entries of a type have."""
    own = fields_of(definition.fields, face, definitions)
    return Fields(
        filters={**own.filters, **face.system.filters},
        relations={**own.relations, **face.system.relations},
        sorts=(*face.system.sorts, *own.sorts),
        shown=(*(own_of(definition) if face is PUBLIC else face.system.shown), *own.shown),
    )


def merged(all_fields: list[Fields]) -> Fields:
    """What rows of several kinds can be asked. What is not of the same type in all that have it, can't be."""
    if len(all_fields) == 1:
        return all_fields[0]
    kinds: dict[str, set[FieldType]] = {}
    relations: dict[str, list[Relation]] = {}
    for fields in all_fields:
        for name, kind in fields.filters.items():
            kinds.setdefault(name, set()).add(kind)
        for name, relation in fields.relations.items():
            relations.setdefault(name, []).append(relation)
    # What is a relation here and a value there is neither.
    mixed = {
        name
        for fields in all_fields
        for name in fields.filters
        if name in relations and name not in fields.relations
    }
    filters = {
        name: one for name, found in kinds.items() if len(found) == 1 and name not in mixed for one in found
    }
    return Fields(
        filters=filters,
        relations={name: _together(found) for name, found in relations.items() if name not in mixed},
        sorts=tuple(dict.fromkeys(name for fields in all_fields for name in fields.sorts if name in filters)),
        shown=tuple(dict.fromkeys(name for fields in all_fields for name in fields.shown)),
    )


def _together(relations: list[Relation]) -> Relation:
    if len(relations) == 1:
        return relations[0]
    return Relation(
        fields=lambda: merged([one.fields() for one in relations]),
        is_many=any(one.is_many for one in relations),
        hops=max(one.hops for one in relations),
        kinds=tuple(dict.fromkeys(kind for one in relations for kind in one.kinds)),
    )


def listing_of(definition: Definition, definitions: Definitions) -> Listing:
    """The listing of management."""
    found = whole(definition, MANAGED, definitions)
    withheld = [field.key for field in definition.fields if field.visibility == "restricted"]
    return Listing(
        filters=found.filters,
        relations=found.relations,
        sorts=found.sorts,
        shown=(*found.shown, *withheld),
        expands=True,
        is_searchable=True,
        sort=DOCUMENTS.sort,
    )


def public_listing_of(definition: Definition, definitions: Definitions) -> Listing:
    """The listing of delivery."""
    found = whole(definition, PUBLIC, definitions)
    return Listing(
        filters=found.filters,
        relations=found.relations,
        sorts=found.sorts,
        shown=found.shown,
        expands=True,
        has_texts=True,
        is_searchable=bool(definition.searched()),
        is_ranked=True,
        sort=(SortKey("published_at", descending=True),),
    )
