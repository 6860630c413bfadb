"""What the documents of a type, their addresses and those who point at something are to whoever changes a type."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.contracts.postgres import postgres
from tests.fakes_cms import CmsUnitOfWork, Store
from tests.fakes_content_types import FakeContentTypes, TypeStore
from tests.fakes_modelling import FakeAddresses, FakeModelledDocuments, FakeReferenceQueries
from tests.fakes_redirects import FakeRedirectQueries

from cms_api.adapters.sqlalchemy.cms import REPOSITORIES
from cms_api.adapters.sqlalchemy.cms.redirects import SqlRedirects
from cms_api.adapters.sqlalchemy.cms.reference_queries import SqlReferences
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.cms.content_types.compiling import EntryKind, compiled
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.ports import (
    AddressRepository,
    ContentTypeRepository,
    Face,
    ModelledDocuments,
    ReadModel,
    TypeRecord,
)
from cms_api.domains.cms.documents.content import Link, PostContent
from cms_api.domains.cms.documents.errors import AddressTaken
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import (
    DocumentRepository,
    PublicationRepository,
    ReferenceQueries,
    ReferenceRepository,
)
from cms_api.domains.cms.documents.references import REFERENCES, FieldOf, Group, Referrer
from cms_api.domains.cms.documents.rendering import Public
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.redirects.paths import with_ancestors
from cms_api.domains.cms.redirects.ports import LivePlace, RedirectQueries
from cms_api.domains.cms.search.ports import SearchIndex
from cms_api.domains.cms.search.text import SearchText
from cms_api.domains.cms.site.ports import SiteRepository
from cms_api.domains.cms.taxonomies.model import Term
from cms_api.domains.cms.taxonomies.ports import TermRepository
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Comparison, Not, PageRequest, SortKey

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
TITLE, CODE, TO, ALSO = "aaaaaaaaa1", "aaaaaaaaa2", "aaaaaaaaa3", "aaaaaaaaa4"
FIELDS: list[dict[str, Any]] = [
    {"key": "title", "id": TITLE, "type": "text"},
    {"key": "code", "id": CODE, "type": "number"},
    {"key": "to", "id": TO, "type": "reference"},
    {"key": "also", "id": ALSO, "type": "references", "on_delete": "unlink"},
]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One implementation of the ports, with a type that has documents."""

    uow: Callable[[], UnitOfWork]
    references: ReferenceQueries
    redirects: RedirectQueries

    async def made(self, *documents: Document[Any], live: bool = False) -> None:
        """Store new documents, and publish them."""
        for one in documents:
            async with self.uow() as uow:
                await uow.repository(DocumentRepository).add(one)
                if live:
                    await self._publish(uow, one)

    async def _publish(self, uow: UnitOfWork, one: Document[Any]) -> None:
        one.publish(at=AT, by=None)
        await uow.repository(DocumentRepository).save(one)
        public = Public(fields={"seo": {}, **getattr(one.draft, "fields", {})})
        await uow.repository(PublicationRepository).put_live(one, one.draft, public)

    async def edited(self, one: Document[Any], **fields: Any) -> None:
        """Give the draft other fields, and leave the live copy."""
        async with self.uow() as uow:
            one.edit(msgspec.structs.replace(one.draft, fields=fields), at=LATER, by=None)
            await uow.repository(DocumentRepository).add_revision(one, changed=tuple(fields))
            await uow.repository(DocumentRepository).save(one)

    async def trashed(self, one: Document[Any]) -> None:
        async with self.uow() as uow:
            one.trash(at=LATER, by=None)
            await uow.repository(DocumentRepository).save(one)

    async def do(self, work: Callable[[ModelledDocuments], Awaitable[Any]]) -> Any:
        """Do something with the documents of types, in a unit of work of its own."""
        async with self.uow() as uow:
            return await work(uow.repository(ModelledDocuments))

    async def move(self, path: str | None) -> None:
        async with self.uow() as uow:
            await uow.repository(AddressRepository).move("thing", path, at=LATER)

    async def at(self, path: str) -> Any:
        """The id of what is live at a path, the path that a redirect leads to, or nothing."""
        found = await self.redirects.resolve(path, with_ancestors(path), "en")
        return found.id if isinstance(found, LivePlace) else found and found.to

    async def live_title(self, one: Document[Any]) -> str:
        """What its live copy goes by."""
        async with self.uow() as uow:
            index = uow.repository(SearchIndex)
            await index.put(one.id, "en", SearchText(title=""))
            return (await index.unread(9))[-1].title

    async def links(self, target: UUID) -> list[tuple[Any, ...]]:
        page = await self.references.list(target, PageRequest(sort=REFERENCES.sort, limit=100))
        return [(one.id, one.face, one.field, one.pointer, one.on_delete) for one in page.items]


@pytest.fixture(params=["fake", "postgres"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    if request.param == "fake":
        store, types = Store(), TypeStore()
        more: dict[type, object] = {
            ContentTypeRepository: FakeContentTypes(types),
            ModelledDocuments: FakeModelledDocuments(store),
            AddressRepository: FakeAddresses(store, types),
        }
        made = Stage(
            uow=lambda: CmsUnitOfWork(store, more),
            references=FakeReferenceQueries(store),
            redirects=FakeRedirectQueries(store),
        )
        await _with_types(made)
        yield made
        return
    async with postgres(request) as (_, sessions, reader):
        made = Stage(
            uow=lambda: SqlAlchemyUnitOfWork(sessions, REPOSITORIES),
            references=SqlReferences(reader),
            redirects=SqlRedirects(reader),
        )
        await _with_types(made)
        yield made


async def _with_types(stage: Stage) -> None:
    async with stage.uow() as uow:
        for key, path in (("thing", None), ("other", "/others/{slug}")):
            await uow.repository(ContentTypeRepository).add(
                TypeRecord(
                    id=uuid4(), key=key, version=1, definition=definition(key, path), conversions={},
                    migration_id=None, created_at=AT, updated_at=AT, created_by=None, updated_by=None,
                )
            )  # fmt: skip


def definition(key: str = "thing", path: str | None = None) -> Definition:
    return msgspec.convert({"key": key, "path": path, "fields": FIELDS}, Definition)


def kind(key: str = "thing", path: str | None = None) -> EntryKind:
    return compiled(definition(key, path), version=1)


def entry(
    slug: str,
    *,
    of: EntryKind | None = None,
    locale: str = "en",
    translation_of: UUID | None = None,
    **fields: Any,
) -> Document[Any]:
    of = of or kind()
    content = of.content(slug=slug, fields=fields)
    return Document.create(of, content, locale=locale, at=AT, by=None, translation_of=translation_of)[0]


def post(slug: str, locale: str = "en") -> Document[PostContent]:
    content = PostContent(slug=slug, title=slug.title())
    return Document.create(POST, content, locale=locale, at=AT, by=None)[0]


def first(*documents: Document[Any]) -> list[UUID]:
    return sorted(one.id for one in documents)


async def test_documents_come_in_batches(stage: Stage) -> None:
    made = [entry(f"s{number}", **{TITLE: f"T{number}"}) for number in range(5)]
    await stage.made(*made[:3])
    await stage.made(*made[3:], entry("elsewhere", of=kind("other", "/others/{slug}")), live=True)
    await stage.edited(made[4], **{TITLE: "Draft"})
    await stage.trashed(made[0])
    assert await stage.do(lambda documents: documents.count("thing")) == 5
    rows = await stage.do(lambda documents: documents.batch("thing", None, 3))
    rest = await stage.do(lambda documents: documents.batch("thing", rows[-1].id, 3))
    assert [one.id for one in rows + rest] == first(*made)
    told = {one.id: (one.draft, one.live, one.is_live) for one in rows + rest}
    assert told[made[0].id] == ({TITLE: "T0"}, None, False)
    assert told[made[3].id] == ({TITLE: "T3"}, None, True)
    # A live copy that says what the draft says is not told again.
    assert told[made[4].id] == ({TITLE: "Draft"}, {TITLE: "T4"}, True)
    assert await stage.do(lambda documents: documents.batch("none", None, 3)) == []


async def test_values_that_are_there_twice(stage: Stage) -> None:
    twice = [entry("a", **{CODE: 1}), entry("b", **{CODE: 1})]
    german = entry("c", locale="de", **{CODE: 1})
    translation = entry("d", locale="de", translation_of=twice[0].id, **{CODE: 2})
    alone, gone = entry("e", **{CODE: 3}), entry("f", **{CODE: 3})
    await stage.made(*twice, german, translation, alone, gone, entry("g"), entry("h"))
    await stage.trashed(gone)
    found = await stage.do(lambda documents: documents.duplicates("thing", CODE, localised=False))
    assert found == (3, first(*twice, german))
    found = await stage.do(lambda documents: documents.duplicates("thing", CODE, localised=True))
    assert found == (2, first(*twice))
    assert await stage.do(lambda documents: documents.unequal("thing", CODE)) == (1, [translation.id])
    assert await stage.do(lambda documents: documents.unequal("thing", TITLE)) == (0, [])


@pytest.mark.parametrize(
    ("value", "locale", "taken"),
    [
        (1, None, True),
        (1, "en", True),
        (1, "de", False),
        (2, None, False),
        ("1", None, False),
        (3, None, False),
    ],
)
async def test_whether_a_value_is_taken(stage: Stage, value: Any, locale: str | None, taken: bool) -> None:  # noqa: FBT001 - a parameter of the test
    one, gone = entry("a", **{CODE: 1}), entry("b", **{CODE: 3})
    await stage.made(one, gone)
    await stage.trashed(gone)

    async def ask(but: list[UUID]) -> Any:
        return await stage.do(
            lambda documents: documents.is_taken("thing", CODE, value, locale=locale, but=but)
        )

    assert await ask([]) is taken
    assert await ask([one.id]) is False


async def test_who_points_at_what(stage: Stage) -> None:
    target, other = post("target"), entry("o", of=kind("other", "/others/{slug}"))
    await stage.made(target, other)
    one = entry("one", **{TO: str(target.id), ALSO: [str(other.id), str(target.id)]})
    await stage.made(one, live=True)
    await stage.edited(one, **{TO: str(target.id)})
    assert await stage.links(target.id) == [
        (one.id, "draft", "to", "/to", "restrict"),
        (one.id, "live", "to", "/to", "restrict"),
        (one.id, "live", "also", "/also/1", "unlink"),
    ]
    assert await stage.links(one.id) == []
    page = await stage.references.list(target.id, PageRequest(sort=REFERENCES.sort, limit=2, count="exact"))
    assert (len(page.items), page.count) == (2, 3)
    rest = await stage.references.list(target.id, PageRequest(sort=REFERENCES.sort, limit=2, after=page.next))
    assert [(one.face, one.field, one.title) for one in rest.items] == [("live", "also", "one")]
    for wanted, pointers in (
        (Comparison("field", "eq", ("also",)), ["/also/1"]),
        (Comparison("face", "ne", ("live",)), ["/to"]),
        (Comparison("on_delete", "in", ("restrict", "cascade")), ["/to", "/to"]),
        (Comparison("pointer", "starts_with", ("/also",)), ["/also/1"]),
        (Comparison("id", "eq", (one.id,)), ["/to", "/to", "/also/1"]),
        (Comparison("type", "eq", ("post",)), []),
        (Not(Comparison("title", "eq", ("one",))), []),
    ):
        narrowed = PageRequest(sort=REFERENCES.sort, filter=wanted)
        assert [one.pointer for one in (await stage.references.list(target.id, narrowed)).items] == pointers
    misfits = await stage.do(lambda documents: documents.misfits("thing", ALSO, ["post"]))
    assert misfits == (1, [one.id])
    assert await stage.do(lambda documents: documents.misfits("thing", ALSO, ["post", "other"])) == (0, [])
    preview = await stage.references.preview(target.id, "trash")
    assert (preview.is_allowed, preview.restricted_by.items) == (False, (Referrer(one.id, "thing", "one"),))
    preview = await stage.references.preview(other.id, "trash")
    assert (preview.is_allowed, preview.unlinked.count, preview.cascaded.count) == (True, 1, 0)


async def test_links_of_withheld_fields_are_left_out(stage: Stage) -> None:
    target = post("target")
    await stage.made(target)
    both = entry("both", **{TO: str(target.id), ALSO: [str(target.id), str(target.id)]})
    behind = entry("behind", **{TO: str(target.id)})
    # The same id in another type is another field.
    elsewhere = entry("elsewhere", of=kind("other", "/others/{slug}"), **{TO: str(target.id)})
    await stage.made(both, behind, elsewhere, live=True)
    withheld = [FieldOf("thing", TO), FieldOf("other", ALSO), FieldOf("post", TITLE)]
    everything = PageRequest(sort=REFERENCES.sort, limit=2, count="exact")
    found = await stage.references.list(target.id, everything, withheld=withheld)
    told, number = [*found.items], found.count
    while found.next is not None:
        found = await stage.references.list(
            target.id, msgspec.structs.replace(everything, after=found.next), withheld=withheld
        )
        told += found.items
    assert sorted((one.id, one.face, one.pointer) for one in told) == sorted(
        (one, face, pointer)
        for face in ("draft", "live")
        for one, pointer in ((both.id, "/also/0"), (both.id, "/also/1"), (elsewhere.id, "/to"))
    )
    assert number == len(told)
    for wanted, left in (
        (Comparison("field", "eq", ("to",)), {elsewhere.id}),
        (Comparison("id", "eq", (behind.id,)), set()),
        (Not(Comparison("field", "eq", ("also",))), {elsewhere.id}),
    ):
        narrowed = PageRequest(sort=REFERENCES.sort, filter=wanted)
        page = await stage.references.list(target.id, narrowed, withheld=withheld)
        assert {one.id for one in page.items} == left


async def test_who_meets_a_deletion_by_a_withheld_field_is_counted_only(stage: Stage) -> None:
    target = post("target")
    await stage.made(target)
    behind = entry("behind", **{TO: str(target.id)})
    # Its link that is told of forbids nothing, and the one that does isn't told of.
    both = entry("both", **{TO: str(target.id), ALSO: [str(target.id)]})
    seen = entry("seen", of=kind("other", "/others/{slug}"), **{TO: str(target.id)})
    unlinked = entry("unlinked", **{ALSO: [str(target.id)]})
    await stage.made(behind, both, seen, unlinked)
    named = Referrer(seen.id, "other", "seen")

    async def met(*withheld: FieldOf, limit: int = 9) -> tuple[Group, Group, Group]:
        """Who forbids it, and who loses a link, in a preview and by a deletion: these are the same."""
        preview = await stage.references.preview(target.id, "trash", withheld=withheld)
        async with stage.uow() as uow:
            references = uow.repository(ReferenceRepository)
            effects = await references.effects(target.id, "trash", limit=limit, withheld=withheld)
        assert effects.restricted.count == preview.restricted_by.count
        return preview.restricted_by, effects.restricted, preview.unlinked

    for found in (await met(FieldOf("thing", TO)))[:2]:
        assert found == Group(3, (named,))
    # Who may be named is, however many may not.
    assert (await met(FieldOf("thing", TO), limit=1))[1] == Group(3, (named,))
    assert [(group.count, len(group.items)) for group in await met()] == [(3, 3), (3, 3), (1, 1)]
    everything = [FieldOf(key, one) for key in ("thing", "other") for one in (TO, ALSO)]
    assert [(group.count, group.items) for group in await met(*everything)] == [(3, ()), (3, ()), (1, ())]
    async with stage.uow() as uow:
        effects = await uow.repository(ReferenceRepository).effects(
            target.id, "trash", limit=9, withheld=everything
        )
    assert [one.id for one in effects.unlinked.items] == [unlinked.id]  # as its link has to go


async def test_who_goes_along_by_a_withheld_field_is_counted_only(stage: Stage) -> None:
    target = post("target")
    near = entry("near", **{TO: str(target.id)})
    far = entry("far", **{ALSO: [str(near.id)]})
    last = entry("last", of=kind("other", "/others/{slug}"), **{TO: str(far.id)})
    await stage.made(target, near, far, last)
    await stage.do(lambda documents: documents.set_policies("thing", {TO: "cascade", ALSO: "cascade"}))
    for withheld, named, forbidding in (
        ([], {near.id, far.id}, 1),
        ([FieldOf("thing", ALSO)], {near.id}, 0),
        # Whoever saw "far" here would know what "near" points at.
        ([FieldOf("thing", TO)], set(), 0),
        ([FieldOf("other", TO)], {near.id, far.id}, 0),
    ):
        preview = await stage.references.preview(target.id, "trash", withheld=withheld)
        assert (preview.cascaded.count, preview.restricted_by.count) == (2, 1)
        assert {one.id for one in preview.cascaded.items} == named
        assert len(preview.restricted_by.items) == forbidding


async def test_who_points_at_it_in_any_order(stage: Stage) -> None:
    target = post("target")
    await stage.made(target)
    many = [entry(name, **{ALSO: [str(target.id), str(target.id)]}) for name in ("b", "a", "c")]
    await stage.made(*many)
    names = {one.id: one.draft.slug for one in many}
    for sort, slugs in (
        ((SortKey("slug"),), "aabbcc"),
        ((SortKey("type"), SortKey("slug", descending=True)), "ccbbaa"),
    ):
        forth, page = [], PageRequest(sort=sort, limit=1)
        found = await stage.references.list(target.id, page)
        while found.next is not None:
            forth += found.items
            found = await stage.references.list(target.id, msgspec.structs.replace(page, after=found.next))
        forth += found.items
        assert "".join(names[one.id] for one in forth) == slugs
        assert len({(one.id, one.pointer) for one in forth}) == len(forth)
        back = found.items
        while found.prev is not None:
            found = await stage.references.list(target.id, msgspec.structs.replace(page, before=found.prev))
            back = found.items + back
        assert back == forth


async def test_what_a_deletion_would_be(stage: Stage) -> None:
    one, term = (
        entry("one"),
        Term(id=uuid4(), taxonomy="tag", slug="t", name="T", created_at=AT, updated_at=AT),
    )
    await stage.made(one)
    async with stage.uow() as uow:
        await uow.repository(TermRepository).add(term)
    find = stage.references.find
    assert (await find("thing", one.id), await find("post", one.id)) == ("trash", None)
    assert (await find("tag", term.id), await find("category", term.id)) == ("delete", None)
    assert [await find(what, uuid4()) for what in ("author", "media", "thing")] == [None] * 3
    await stage.trashed(one)
    assert await find("thing", one.id) == "purge"


async def test_policies_and_pointers_follow_a_type(stage: Stage) -> None:
    target = post("target")
    other = entry("other", of=kind("other", "/others/{slug}"), **{TO: str(target.id)})
    one = entry("one", **{ALSO: [str(target.id)]})
    await stage.made(target, other, one)
    await stage.do(lambda documents: documents.set_policies("thing", {ALSO: "cascade", TO: "cascade"}))
    await stage.do(lambda documents: documents.set_pointers("thing", {ALSO: "/more/*"}))
    assert sorted(await stage.links(target.id)) == sorted(
        [(other.id, "draft", "to", "/to", "restrict"), (one.id, "draft", "also", "/more/0", "cascade")]
    )
    preview = await stage.references.preview(target.id, "trash")
    assert (preview.cascaded.items, preview.restricted_by.count) == ((Referrer(one.id, "thing", "one"),), 1)


async def test_what_documents_are_found_by_is_put(stage: Stage) -> None:
    target, one = post("target"), entry("one", **{TITLE: "Old"})
    await stage.made(target)
    await stage.made(one, live=True)
    link = Link(TO, 0, "document", target.id, "/to", "unlink")
    model = ReadModel(
        id=one.id,
        draft=Face(fields={TITLE: "Draft"}, links=()),
        live=Face(fields={TITLE: "Live"}, links=(link,), others={"text": {TITLE: "Live"}}),
    )
    await stage.do(lambda documents: documents.put(definition(), [model]))
    await stage.do(lambda documents: documents.put(definition(), []))
    [row] = await stage.do(lambda documents: documents.batch("thing", None, 9))
    assert (row.draft, row.live, row.is_live) == ({TITLE: "Draft"}, None, True)
    assert await stage.links(target.id) == [(one.id, "live", "to", "/to", "unlink")]
    async with stage.uow() as uow:  # in all formats, by the renderer of today
        assert await uow.repository(PublicationRepository).outdated(None, 9) == []
    for draft, live, titles in (
        (TITLE, TITLE, ("Draft", "Live")),
        (TITLE, None, ("Draft", "one")),
        (None, None, ("one", "one")),
    ):
        await stage.do(lambda documents, to=(draft, live): documents.set_titles("thing", *to))
        [reference] = (await stage.references.list(target.id, PageRequest(sort=REFERENCES.sort))).items
        assert (reference.title, await stage.live_title(one)) == titles


async def test_addresses_follow_a_pattern(stage: Stage) -> None:
    made = [entry("one"), entry("two")]
    await stage.made(*made, live=True)
    await stage.made(entry("draft"))
    async with stage.uow() as uow:
        addresses = uow.repository(AddressRepository)
        assert (await addresses.holder("/others/{slug}"), await addresses.holder("/{slug}")) == (
            "other",
            None,
        )
        assert (await addresses.count("thing"), await addresses.count("none")) == (2, 0)
        assert await addresses.taken("thing", "/things/{slug}") == (0, [])
    assert await stage.at("one") is None
    await stage.move("/things/{slug}")
    assert [await stage.at(f"things/{one.draft.slug}") for one in made] == [one.id for one in made]
    assert await stage.at("one") is None
    await stage.move("/all/{slug}")
    assert await stage.at("things/one") == "all/one"
    # Back again: no redirect stands before what is live, and those of before lead there.
    await stage.move("/things/{slug}")
    assert (await stage.at("things/one"), await stage.at("all/two")) == (made[0].id, "things/two")
    await stage.move(None)
    assert [await stage.at(path) for path in ("things/one", "all/two", "two")] == [None] * 3


async def test_addresses_of_others_are_not_taken(stage: Stage) -> None:
    other = entry("one", of=kind("other", "/others/{slug}"))
    mine = [entry("one"), entry("two")]
    await stage.made(other, *mine, live=True)
    async with stage.uow() as uow:
        taken = await uow.repository(AddressRepository).taken("thing", "/others/{slug}")
    assert taken == (1, [mine[0].id])
    with pytest.raises(AddressTaken):
        await stage.move("/others/{slug}")
    assert (await stage.at("others/one"), await stage.at("others/two")) == (other.id, None)


async def set_post_path(stage: Stage, path: str) -> None:
    async with stage.uow() as uow:
        addresses, settings = uow.repository(AddressRepository), uow.repository(SiteRepository)
        await addresses.lock_posts()
        before = await settings.get()
        paths = msgspec.structs.replace(before.paths, post=path)
        await settings.save(msgspec.structs.replace(before, paths=paths))
        await addresses.move("post", path, at=LATER)


async def test_posts_follow_the_pattern_of_the_settings(stage: Stage) -> None:
    one, two, german = post("one"), post("two"), post("one", "de")
    await stage.made(one, two, german, live=True)
    assert await stage.at("one") == one.id
    await set_post_path(stage, "/blog/{slug}")
    assert [await stage.at(path) for path in ("blog/one", "blog/two")] == [one.id, two.id]
    assert [await stage.at(path) for path in ("one", "two")] == ["blog/one", "blog/two"]
    # Who is published later, or again, goes where the others are.
    three = post("three")
    async with stage.uow() as uow:
        await uow.repository(AddressRepository).hold_posts()
    await stage.made(three, live=True)
    assert await stage.at("blog/three") == three.id
    await set_post_path(stage, "/{slug}")
    assert await stage.at("blog/three") == "three"
    assert (await stage.at("one"), await stage.at("blog/one")) == (one.id, "one")


async def test_the_pattern_of_posts_has_a_holder(stage: Stage) -> None:
    await set_post_path(stage, "/blog/{slug}")
    async with stage.uow() as uow:
        addresses = uow.repository(AddressRepository)
        assert await addresses.holder("/blog/{slug}") == "post"
        assert await addresses.holder("/{slug}") is None
    await set_post_path(stage, "/{slug}")
    async with stage.uow() as uow:
        addresses = uow.repository(AddressRepository)
        assert await addresses.holder("/blog/{slug}") is None
        assert await addresses.holder("/{slug}") is None


async def test_where_posts_would_meet_others(stage: Stage) -> None:
    one, two, german = post("one"), post("two"), post("two", "de")
    await stage.made(one, two, german, live=True)
    await stage.made(entry("two", of=kind("other", "/others/{slug}")), live=True)
    async with stage.uow() as uow:
        addresses = uow.repository(AddressRepository)
        assert await addresses.taken("post", "/others/{slug}") == (1, [two.id])
        assert await addresses.taken("post", "/blog/{slug}") == (0, [])
        assert await addresses.count("post") == 3
