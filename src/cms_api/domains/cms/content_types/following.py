"""What follows a change of a type at once, in its transaction: whatever documents are found and read by.

Readers never meet a value in another form than the type has, nor anybody a link that is not there.
What documents say, their revisions, follows by a job.
"""

from collections.abc import Mapping
from typing import Any

from cms_api.domains.cms.content_types import plans, shapes
from cms_api.domains.cms.content_types.conversions import Resolution, converted
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.ports import (
    AddressRepository,
    Face,
    ModelledDocuments,
    ReadModel,
    StoredFields,
    TypeRecord,
)
from cms_api.domains.cms.content_types.public import rendered_values
from cms_api.domains.cms.documents.ports import Renderer
from cms_api.domains.cms.search.ports import SearchIndex
from cms_api.kernel.unit_of_work import UnitOfWork

AT_ONCE = 500


def _titles(definition: Definition) -> tuple[str | None, str | None]:
    """The fields that drafts go by, and live copies."""
    common, public = definition.common_title, definition.public_title
    return str(common.id) if common else None, str(public.id) if public else None


class Following:
    """Has what is made of documents follow their type."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    async def follow(self, uow: UnitOfWork, before: Definition, record: TypeRecord) -> None:
        """Bring policies, values, links, titles and addresses up to date.

        One statement for each kind of thing; where values are others now, for each 500 documents.
        Raises `ValueTaken`, `AddressTaken`.
        """
        documents, key = uow.repository(ModelledDocuments), record.key
        after, conversions = record.definition, record.conversions
        if before.searched() - after.searched():
            # What readers may not see any more is not found either, from now on; the job puts the rest back.
            await uow.repository(SearchIndex).remove_type(key)
        if changed := plans.policies(before, after):
            await documents.set_policies(key, changed)
        is_anew = plans.points_otherwise(before, after)
        if conversions or is_anew:
            await self._walk(documents, after, conversions, is_anew=is_anew)
        if moved := plans.pointers(before, after):
            await documents.set_pointers(key, moved)
        if shown := plans.visibilities(before, after):
            await documents.set_visibilities(key, shown)
        titles = _titles(after)
        if titles != _titles(before) or not conversions.keys().isdisjoint(titles):
            await documents.set_titles(key, *titles)
        if before.path != after.path:
            await uow.repository(AddressRepository).move(key, after.path, at=record.updated_at)

    async def _walk(
        self,
        documents: ModelledDocuments,
        after: Definition,
        conversions: Mapping[str, Resolution | None],
        *,
        is_anew: bool,
    ) -> None:
        last = None
        while rows := await documents.batch(after.key, last, AT_ONCE):
            found = [await self._followed(after, conversions, row, is_anew=is_anew) for row in rows]
            await documents.put(after, [one for one in found if one is not None])
            last = rows[-1].id

    async def _followed(
        self,
        after: Definition,
        conversions: Mapping[str, Resolution | None],
        row: StoredFields,
        *,
        is_anew: bool,
    ) -> ReadModel | None:
        """What is made of a document from now on; None where that is what it was."""
        said = row.draft if row.live is None else row.live
        draft = converted(after.fields, conversions, row.draft)
        live = converted(after.fields, conversions, said) if row.is_live else None
        if not is_anew and draft == row.draft and live in (None, said):
            return None
        return ReadModel(
            id=row.id,
            draft=Face(fields=draft, links=tuple(shapes.links_of(after.fields, draft))),
            live=None if live is None else await self._published(after, live),
        )

    async def _published(self, after: Definition, live: dict[str, Any]) -> Face:
        """What readers get of a live copy, in all formats."""
        public = await rendered_values(self._renderer, after.fields, live)
        return Face(
            fields=dict(public.fields),
            links=tuple(shapes.links_of(after.fields, live)),
            others=public.others,
            mentions=public.mentions,
        )
