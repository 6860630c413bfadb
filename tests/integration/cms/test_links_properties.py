"""Links always equal content, whatever editors, publishers, deleters and those who change types do.

After every step, for drafts and live copies of entries, posts and pages: what is stored of links is
what is found in what documents say, and what readers get is what the live copy says by its type.
"""

import asyncio
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.integration import database
from tests.integration.cms.machines import Machine

from cms_api.adapters.rendering.html import HtmlRenderer
from cms_api.domains.cms.api import AuthorChanges, Definition, PageChanges, PostChanges, TypeChanges
from cms_api.domains.cms.content_types.public import rendered_values
from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.domains.cms.documents.rendering import OTHER_FORMATS
from cms_api.domains.cms.entries.interface import EntryChanges
from cms_api.kernel.actor import SYSTEM
from cms_api.kernel.errors import CmsError

T = TypeVar("T")

POLICIES = ("restrict", "unlink", "cascade")
# What a field may be, by what its values are made of.
SHAPES: list[dict[str, Any]] = [
    {"type": "reference"},
    {"type": "references"},
    {"type": "markdown"},
    {"type": "rich_text"},
    {"type": "text"},
    {"type": "json"},
    {"type": "list", "of": {"type": "reference"}},
    {"type": "group", "fields": [{"key": "one", "type": "reference"}, {"key": "two", "type": "markdown"}]},
    {"type": "blocks", "variants": [
        {"key": "teaser", "fields": [{"key": "to", "type": "references"}, {"key": "words", "type": "markdown"}]},
        {"key": "link", "fields": [{"key": "to", "type": "reference"}]}]},
]  # fmt: skip
PLACES = st.integers(0, 9)
MOST = 7


@dataclass
class Kept:
    """A document that was made."""

    id: UUID
    type: str


def inside(fields: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All fields, at all depths."""
    for one in fields:
        yield one
        yield from inside([*one.get("fields", []), *([one["of"]] if "of" in one else [])])
        for variant in one.get("variants", []):
            yield from inside(variant["fields"])


class Modellers(Machine):
    """Whatever is done to documents and to their types, in any order."""

    actor = SYSTEM

    def __init__(self, server: database.Server, folder: Path) -> None:
        super().__init__(server, folder)
        self.kept: list[Kept] = []
        self.names = 0
        ada = AuthorChanges(name="Ada")
        self.author = self.do(lambda uow, actor: self.cms.authors().create(uow, actor, ada)).id
        definition = msgspec.convert(
            {"key": "thing", "fields": [self.field(shape) for shape in SHAPES]}, Definition
        )
        self.do(lambda uow, actor: self.cms.content_types().create(uow, actor, definition))

    def teardown(self) -> None:
        self.close()

    # Doing things

    def service(self, key: str) -> Any:
        return self.run(self.cms.types().service(key))

    def pick(self, place: int) -> Kept:
        return self.kept[place % len(self.kept)]

    def name(self) -> str:
        self.names += 1
        return f"name_{self.names}"

    def field(self, shape: dict[str, Any], policy: str = "unlink") -> dict[str, Any]:
        made = copy.deepcopy(shape) | {"key": self.name()}
        for one in inside([made]):
            if one["type"] in ("reference", "references", "markdown", "rich_text"):
                one["on_delete"] = policy
        return made

    # Values

    def text(self, data: st.DataObject) -> str:
        held = "".join(f"[x](cms://document/{one})" for one in self.targets(data, 2))
        return f"Some {held} words"

    def targets(self, data: st.DataObject, most: int) -> list[str]:
        if not self.kept:
            return []
        return [str(self.pick(place).id) for place in data.draw(st.lists(PLACES, min_size=1, max_size=most))]

    def value(self, field: dict[str, Any], data: st.DataObject) -> Any:
        match field["type"]:
            case "reference":
                return next(iter(self.targets(data, 1)), None)
            case "references":
                return list(dict.fromkeys(self.targets(data, 3)))
            case "list":
                return [one for one in (self.value(field["of"], data) for _ in range(2)) if one is not None]
            case "group":
                return self.values(field["fields"], data)
            case "blocks":
                kinds = data.draw(st.lists(st.sampled_from(field["variants"]), min_size=1, max_size=2))
                return [{"type": one["key"], **self.values(one["fields"], data)} for one in kinds]
            case _:
                return self.text(data)

    def values(self, fields: list[dict[str, Any]], data: st.DataObject) -> dict[str, Any]:
        return {one["key"]: self.value(one, data) for one in fields}

    def changes(self, key: str, data: st.DataObject) -> Any:
        if key == "thing":
            fields = data.draw(st.lists(st.sampled_from(self.fields()), min_size=3, max_size=6))
            return EntryChanges(values={"authors": [str(self.author)], **self.values(fields, data)})
        if key == "post":
            return PostChanges(
                title="A post", authors=(self.author,), body=self.text(data), format="markdown"
            )
        pages = [one.id for one in self.kept if one.type == "page"]
        parent = data.draw(st.sampled_from([None, *pages]))
        return PageChanges(title="A page", body=self.text(data), parent=parent)

    def fields(self) -> list[dict[str, Any]]:
        found = self.run(self.cms.content_types().get(SYSTEM, "thing"))
        fields: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(found.fields))
        return fields

    # Steps

    @precondition(lambda self: len(self.kept) < MOST)
    @rule(key=st.sampled_from(["thing", "thing", "post", "page"]), data=st.data())
    def create(self, key: str, data: st.DataObject) -> None:
        changes = self.changes(key, data)
        service = self.service_of(key)
        view = self.do(lambda uow, actor: service.create(uow, actor, changes))
        if not isinstance(view, CmsError):
            self.kept.append(Kept(view.id, key))

    def service_of(self, key: str) -> Any:
        if key == "post":
            return self.cms.posts()
        return self.cms.pages() if key == "page" else self._entries

    @precondition(lambda self: self.kept)
    @rule(place=PLACES, data=st.data())
    def edit(self, place: int, data: st.DataObject) -> None:
        one = self.pick(place)
        changes = self.changes(one.type, data)
        service = self.service_of(one.type)
        self.do(lambda uow, actor: service.update(uow, actor, one.id, changes, expected=None))

    @precondition(lambda self: self.kept)
    @rule(
        place=PLACES,
        verb=st.sampled_from(
            [
                "publish",
                "publish",
                "discard",
                "unpublish",
                "archive",
                "unarchive",
                "trash",
                "restore",
                "purge",
            ]
        ),
    )
    def act(self, place: int, verb: str) -> None:
        one = self.pick(place)
        method = getattr(self.service_of(one.type), verb)
        self.do(lambda uow, actor: method(uow, actor, one.id, expected=None))
        there = {found for (found,) in self.rows("SELECT id FROM cms.documents")}
        self.kept = [kept for kept in self.kept if kept.id in there]

    @precondition(lambda self: self.kept)
    @rule(place=PLACES, data=st.data())
    def go_back(self, place: int, data: st.DataObject) -> None:
        one = self.pick(place)
        held = self.rows(f"SELECT id FROM cms.revisions WHERE document_id = '{one.id}' ORDER BY id")
        revision = data.draw(st.sampled_from([found for (found,) in held]))
        service = self.service_of(one.type)
        self.do(
            lambda uow, actor: service.restore_revision(
                uow, actor, one.id, revision, expected=None, drop_missing=True
            )
        )

    @precondition(lambda self: any(one.type == "thing" for one in self.kept))
    @rule(place=PLACES, locale=st.just("de"))
    def translate(self, place: int, locale: str) -> None:
        things = [one for one in self.kept if one.type == "thing"]
        one = things[place % len(things)]
        entries = self._entries
        view = self.do(lambda uow, actor: entries.translate(uow, actor, one.id, locale, expected=None))
        if not isinstance(view, CmsError):
            self.kept.append(Kept(view.id, "thing"))

    @rule(
        data=st.data(), how=st.sampled_from(["rename", "rename", "add", "remove", "type", "policy", "narrow"])
    )
    def change_type(self, data: st.DataObject, how: str) -> None:
        fields = self.fields()
        place = data.draw(st.integers(0, len(fields) - 1))
        everything = list(inside(fields))
        one = everything[data.draw(st.integers(0, len(everything) - 1))]
        top = fields[place]
        match how:
            case "rename" if one.get("key"):
                one["key"] = self.name()
            case "add":
                shape = data.draw(st.sampled_from(SHAPES))
                fields.append(self.field(shape, data.draw(st.sampled_from(POLICIES))))
            case "remove" if len(fields) > 3:
                del fields[place]
            case "type":
                fields[place] = {"key": top["key"], "id": top["id"], **self.other(top, data)}
            case "policy" if "on_delete" in one:
                one["on_delete"] = data.draw(st.sampled_from(POLICIES))
            case "narrow" if one["type"] in ("references", "blocks"):
                one["max_items"] = data.draw(st.sampled_from([1, 100]))
            case _:
                return
        resolutions = {field["key"]: "drop" for field in (*fields, top)}
        changes = msgspec.convert({"fields": fields, "resolutions": resolutions}, TypeChanges)
        self.do(
            lambda uow, actor: self.cms.content_types().update(uow, actor, "thing", changes, expected=None)
        )

    def other(self, top: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
        """Another type that the field may have."""
        bare = {"on_delete": data.draw(st.sampled_from(POLICIES))}
        match top["type"]:
            case "reference":
                several = {"type": "list", "of": {"type": "reference"} | bare}
                return data.draw(st.sampled_from([{"type": "references"} | bare, {"type": "json"}, several]))
            case "references":
                return data.draw(st.sampled_from([{"type": "reference"} | bare, {"type": "json"}]))
            case "text" | "markdown" | "rich_text":
                kinds = [
                    {"type": "markdown"} | bare,
                    {"type": "rich_text"} | bare,
                    {"type": "text"},
                    {"type": "json"},
                ]
                return data.draw(st.sampled_from([one for one in kinds if one["type"] != top["type"]]))
            case _:
                return {name: held for name, held in top.items() if name not in ("key", "id")}

    @rule()
    def drain(self) -> None:
        record = self.run(self.cms.type_queries().get("thing"))
        if record is None or record.migration_id is None:
            return
        handler = self.cms.migration_handler()
        runner = self.app.container.jobs.runner(handlers={handler.kind: handler})
        self.run(runner.run(record.migration_id, asyncio.Event()))
        record = self.run(self.cms.type_queries().get("thing"))
        assert record is not None
        assert record.migration_id is None

    # What must be true

    @property
    def _entries(self) -> Any:
        return self.service("thing")

    @invariant()
    def links_are_what_contents_say(self) -> None:
        stored = {
            (*row,)
            for row in self.rows(
                """
                SELECT document_id, is_live, field, position, target_kind, target_id, pointer, on_delete
                FROM cms.links
                """
            )
        }
        told = {
            (one.id, is_live, link.field, link.position, link.kind, link.target, link.pointer, link.on_delete)
            for one in self.kept
            for is_live, content in self.run(self.contents(one))
            for link in content.links()
        }
        assert stored == told

    async def contents(self, one: Kept) -> list[tuple[bool, Any]]:
        kind = (await self.cms.types().service(one.type)).kind
        async with self.app.unit_of_work() as uow:
            documents = uow.repository(DocumentRepository)
            document = await documents.get(kind, one.id)
            assert document is not None
            live = await documents.snapshot(kind, one.id) if document.is_live else None
        return [(False, document.draft)] + ([] if live is None else [(True, live.content)])

    @invariant()
    def readers_get_what_live_copies_say(self) -> None:
        stored = {
            one: (fields, mentions, dict(zip(OTHER_FORMATS, others, strict=True)))
            for one, fields, mentions, *others in self.rows(
                """
                SELECT document_id, fields, mention_ids, markdown, text, blocks
                FROM cms.publications JOIN cms.renderings USING (document_id) WHERE type = 'thing'
                """
            )
        }
        fields = self._entries.kind.definition.fields
        for one in self.kept:
            lives = [content for is_live, content in self.run(self.contents(one)) if is_live]
            if one.type != "thing" or not lives:
                assert one.id not in stored
                continue
            public, mentions, others = stored[one.id]
            del public["seo"]
            made = self.run(rendered_values(HtmlRenderer(), fields, lives[0].fields))
            in_formats = {name: made.others.get(name, {}) for name in OTHER_FORMATS}
            told = msgspec.json.decode(msgspec.json.encode((made.fields, in_formats)))
            assert ([public, others], set(mentions)) == (told, made.mentions)

    @invariant()
    def titles_are_what_drafts_are_called(self) -> None:
        stored = dict(self.rows("SELECT id, title FROM cms.documents"))
        for one in self.kept:
            assert stored[one.id] == self.run(self.contents(one))[0][1].heading


def test_links_always_equal_content(server: database.Server, tmp_path: Path) -> None:
    run_state_machine_as_test(
        lambda: Modellers(server, tmp_path),
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
