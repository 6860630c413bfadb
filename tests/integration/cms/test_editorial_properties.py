"""Editors, publishers, schedulers and deleters at random, on the real database.

After every step: readers see exactly what was published last, nobody's save was lost, links say
what contents say, and every document can be reached.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from dependency_injector.providers import Object
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.fakes import FixedClock
from tests.fakes_schedules import MemoryLog
from tests.integration import database
from tests.integration.cms.machines import Machine

from cms_api.adapters.sqlalchemy.outages import is_outage
from cms_api.domains.cms.api import (
    AuthorChanges,
    PageChanges,
    PostChanges,
    RetentionChanges,
    TermChanges,
)
from cms_api.domains.cms.documents.content import Content, PageContent, PostContent
from cms_api.domains.cms.documents.errors import Archived, InUse, Trashed
from cms_api.domains.cms.schedules.firing import Firing
from cms_api.domains.cms.schedules.interface import ScheduleChanges
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import CmsError, Stale
from cms_api.querying import Comparison, PageRequest, Selection, SortKey

T = TypeVar("T")

EDITOR = Actor(user_id=UUID(int=7), is_system=True)
PLURAL = {"post": "posts", "page": "pages"}
SLUGS = st.sampled_from(["a", "b", "c", "d"])
TITLES = st.sampled_from(["One", "Two", "Three"])
BODIES = st.sampled_from(["", "<p>short</p>", "<p>" + "A sentence of some length. " * 60 + "</p>"])
PLACES = st.integers(0, 9)
MOST_DOCUMENTS = 6


@dataclass
class Kept:
    """What a document should be like."""

    id: UUID
    type: str
    draft: Content
    version: int = 1
    live: Content | None = None
    is_archived: bool = False
    is_trashed: bool = False
    revisions: dict[UUID, Content] = field(default_factory=dict)
    published: set[UUID] = field(default_factory=set)

    @property
    def is_at_hand(self) -> bool:
        return not (self.is_archived or self.is_trashed)


@dataclass
class Planned:
    """A schedule that should fire."""

    id: UUID
    document: UUID
    action: str
    revision: UUID | None


class Editors(Machine):
    """Everything that people do to documents, in any order."""

    actor = EDITOR

    def __init__(self, server: database.Server, folder: Path) -> None:
        self.has_failed = False
        self.titles = 0
        self.clock = FixedClock()
        super().__init__(server, folder)
        self.firing = Firing(
            clock=self.clock,
            types=self.cms.types(),
            new_uow=self.app.unit_of_work,
            is_outage=is_outage,
            log=MemoryLog(),
        )
        self.kept: dict[UUID, Kept] = {}
        self.plans: dict[UUID, Planned] = {}
        self.tags: list[UUID] = []
        self.authors: list[UUID] = []
        for name in ("Ada", "Bea"):
            self.authors.append(
                self.do(partial(self.cms.authors().create, changes=AuthorChanges(name=name))).id
            )
        for name in ("x", "y", "z"):
            self.make_tag(name)

    def teardown(self) -> None:
        try:
            if not self.has_failed:
                self.last_race()
                self.check()
        finally:
            self.close()

    def prepare(self) -> None:
        self.app.container.core.clock.override(Object(self.clock))

    # Doing things

    def service(self, one: Kept) -> Any:
        return self.cms.posts() if one.type == "post" else self.cms.pages()

    def step(self, one: Kept, verb: str, *args: Any, expected: int | None, **more: Any) -> Callable[..., Any]:
        method = getattr(self.service(one), verb)
        return lambda uow, actor: method(uow, actor, one.id, *args, expected=expected, **more)

    def pick(self, place: int) -> Kept:
        return list(self.kept.values())[place % len(self.kept)]

    def changes(self, kind: str, **values: Any) -> Any:
        return PostChanges(**values) if kind == "post" else PageChanges(**values)

    def values(self, kind: str, data: st.DataObject) -> dict[str, Any]:
        """Some new values of a draft."""
        possible: dict[str, st.SearchStrategy[Any]] = {
            "title": TITLES,
            "slug": SLUGS,
            "body": BODIES,
            "authors": st.permutations(self.authors).flatmap(
                lambda found: st.integers(0, 2).map(lambda number: tuple(found[:number]))
            ),
        }
        if kind == "post" and self.tags:
            possible["tags"] = st.lists(st.sampled_from(self.tags), unique=True, max_size=3).map(tuple)
        if kind == "page":
            pages = [one.id for one in self.kept.values() if one.type == "page"]
            possible["parent"] = st.sampled_from([None, *pages])
        names = data.draw(st.lists(st.sampled_from(sorted(possible)), unique=True, max_size=3))
        return {name: data.draw(possible[name]) for name in names}

    # What follows from what was done

    def drafted(self, one: Kept, view: Any, content: Content) -> None:
        if view.version == one.version:
            assert content == one.draft, "a change was swallowed"
            return
        assert view.version == one.version + 1
        one.version, one.draft = view.version, content
        one.revisions.setdefault(view.draft_revision, content)

    def published_now(self, one: Kept, revision: UUID | None = None) -> None:
        one.version += 1
        one.live = one.draft if revision is None else one.revisions[revision]
        one.published.add(next(key for key, content in one.revisions.items() if content == one.live))

    def moved_on(self, one: Kept, **values: Any) -> None:
        """A step that is no edit has been taken."""
        one.version += 1
        for name, value in values.items():
            setattr(one, name, value)
        if one.is_archived or one.is_trashed:
            one.live = None
            self.plans = {key: plan for key, plan in self.plans.items() if plan.document != one.id}

    def refused(self, one: Kept, error: CmsError, expected: int | None) -> None:
        """A refusal has its reason: a stale one above all."""
        if isinstance(error, Stale):
            assert expected not in (None, one.version)
        if isinstance(error, Trashed):
            assert one.is_trashed
        if isinstance(error, Archived):
            assert one.is_archived

    def versions(self, data: st.DataObject, one: Kept) -> int | None:
        """The version that somebody has in mind: mostly the current one, perhaps an old one, or any."""
        return data.draw(st.sampled_from([one.version, one.version, one.version, None, one.version - 1]))

    # Steps

    @precondition(lambda self: len(self.kept) < MOST_DOCUMENTS)
    @rule(kind=st.sampled_from(["post", "post", "page"]), data=st.data())
    def create(self, kind: str, data: st.DataObject) -> None:
        values = {"title": "New"} | self.values(kind, data)
        service = self.cms.posts() if kind == "post" else self.cms.pages()
        values.setdefault("authors", ())
        view = self.do(lambda uow, actor: service.create(uow, actor, self.changes(kind, **values)))
        if isinstance(view, CmsError):
            return
        self.begun(kind, view, values)

    def begun(self, kind: str, view: Any, values: dict[str, Any]) -> None:
        content = (PostContent if kind == "post" else PageContent)(**(values | {"slug": view.slug}))
        self.kept[view.id] = Kept(view.id, kind, content, revisions={view.draft_revision: content})

    @precondition(lambda self: self.kept)
    @rule(place=PLACES, data=st.data())
    def edit(self, place: int, data: st.DataObject) -> None:
        one = self.pick(place)
        values, expected = self.values(one.type, data), self.versions(data, one)
        view = self.do(self.step(one, "update", self.changes(one.type, **values), expected=expected))
        if isinstance(view, CmsError):
            self.refused(one, view, expected)
            return
        assert expected in (None, one.version)
        assert one.is_at_hand
        self.drafted(one, view, msgspec.structs.replace(one.draft, **values))

    @precondition(lambda self: self.kept)
    @rule(place=PLACES, data=st.data())
    def go_back(self, place: int, data: st.DataObject) -> None:
        one = self.pick(place)
        revision, expected = data.draw(st.sampled_from(list(one.revisions))), self.versions(data, one)
        view = self.do(self.step(one, "restore_revision", revision, expected=expected))
        if isinstance(view, CmsError):
            self.refused(one, view, expected)
            return
        assert expected in (None, one.version)
        self.drafted(one, view, one.revisions[revision])

    @precondition(lambda self: self.kept)
    @rule(place=PLACES, data=st.data())
    def discard(self, place: int, data: st.DataObject) -> None:
        one = self.pick(place)
        expected = self.versions(data, one)
        view = self.do(self.step(one, "discard", expected=expected))
        if isinstance(view, CmsError):
            self.refused(one, view, expected)
            return
        assert expected in (None, one.version)
        assert one.live is not None
        self.drafted(one, view, one.live)

    @precondition(lambda self: self.kept)
    @rule(place=PLACES, data=st.data())
    def publish(self, place: int, data: st.DataObject) -> None:
        one = self.pick(place)
        expected = self.versions(data, one)
        revision = data.draw(st.none() | st.sampled_from(list(one.revisions)))
        view = self.do(self.step(one, "publish", expected=expected, revision_id=revision))
        if isinstance(view, CmsError):
            self.refused(one, view, expected)
            return
        assert expected in (None, one.version)
        assert one.is_at_hand
        self.published_now(one, revision)

    @precondition(lambda self: self.kept)
    @rule(
        place=PLACES,
        verb=st.sampled_from(["unpublish", "archive", "unarchive", "trash", "restore"]),
        data=st.data(),
    )
    def go_on(self, place: int, verb: str, data: st.DataObject) -> None:
        one = self.pick(place)
        expected = self.versions(data, one)
        answer = self.do(self.step(one, verb, expected=expected))
        if isinstance(answer, CmsError):
            self.refused(one, answer, expected)
            return
        assert expected in (None, one.version)
        self.gone_on(one, verb)

    def gone_on(self, one: Kept, verb: str) -> None:
        changed: dict[str, dict[str, Any]] = {
            "unpublish": {"live": None},
            "archive": {"is_archived": True},
            "unarchive": {"is_archived": False},
            "trash": {"is_trashed": True},
            "restore": {"is_trashed": False},
        }
        self.moved_on(one, **changed[verb])

    @precondition(lambda self: self.kept)
    @rule(place=PLACES)
    def purge(self, place: int) -> None:
        one = self.pick(place)
        if isinstance(answer := self.do(self.step(one, "purge", expected=one.version)), CmsError):
            pointed_at = any(getattr(other.draft, "parent", None) == one.id for other in self.kept.values())
            assert not one.is_trashed or (isinstance(answer, InUse) and pointed_at)
            return
        assert one.is_trashed
        del self.kept[one.id]

    @precondition(lambda self: 0 < len(self.kept) < MOST_DOCUMENTS)
    @rule(place=PLACES)
    def duplicate(self, place: int) -> None:
        one = self.pick(place)
        view = self.do(self.step(one, "duplicate", expected=one.version))
        if isinstance(view, CmsError):
            self.refused(one, view, one.version)
            return
        names = one.draft.__struct_fields__
        self.begun(one.type, view, {name: getattr(one.draft, name) for name in names})

    @precondition(lambda self: self.kept)
    @rule(place=PLACES, verb=st.sampled_from(["update", "publish", "archive", "trash"]))
    def race(self, place: int, verb: str) -> None:
        """Three do the same at once, each with the same version in mind: one gets through.

        The same, so that whoever wins the steps behind are what they would have been.
        """
        one = self.pick(place)
        content = self.retitled(one)
        args = (self.changes(one.type, title=content.title),) if verb == "update" else ()
        through = self.at_once([self.step(one, verb, *args, expected=one.version) for _ in range(3)])
        assert len(through) <= 1, "somebody's save was lost"
        for answer in through.values():
            self.followed(one, verb, answer, content)

    def retitled(self, one: Kept) -> Content:
        """The draft under a title that it never had."""
        self.titles += 1
        return msgspec.structs.replace(one.draft, title=f"Title {self.titles}")

    def at_once(self, works: list[Callable[..., Any]]) -> dict[int, Any]:
        """What those got that were not refused, when all try at the same time."""

        async def all_at_once() -> list[Any]:
            return await asyncio.gather(*(self.attempt(work) for work in works))

        answers = enumerate(self.run(all_at_once()))
        return {place: answer for place, answer in answers if not isinstance(answer, CmsError)}

    def followed(self, one: Kept, verb: str, answer: Any, content: Content) -> None:
        if verb == "update":
            self.drafted(one, answer, content)
        elif verb == "publish":
            self.published_now(one)
        else:
            self.gone_on(one, verb)

    def last_race(self) -> None:
        """Everybody does something else, to every document, and then two workers do what is due."""
        works, meant = [], []
        for one in self.kept.values():
            content = self.retitled(one)
            changes = self.changes(one.type, title=content.title)
            for verb in ("update", "publish", "archive", "trash"):
                args = (changes,) if verb == "update" else ()
                works.append(self.step(one, verb, *args, expected=one.version))
                meant.append((one, verb, content))
        through = self.at_once(works)
        winners = [meant[place][0].id for place in through]
        assert len(winners) == len(set(winners)), "somebody's save was lost"
        for place, answer in through.items():
            one, verb, content = meant[place]
            self.followed(one, verb, answer, content)
        self.clock.move(minutes=5)
        self.fire(workers=2)

    @precondition(lambda self: self.kept)
    @rule(
        place=PLACES,
        minutes=st.integers(1, 3),
        action=st.sampled_from(["publish", "unpublish"]),
        data=st.data(),
    )
    def plan(self, place: int, minutes: int, action: str, data: st.DataObject) -> None:
        one = self.pick(place)
        at = (self.clock.at + timedelta(minutes=minutes)).isoformat()
        values: dict[str, Any] = {f"{action}_at": at}
        revision = (
            data.draw(st.none() | st.sampled_from(list(one.revisions))) if action == "publish" else None
        )
        if revision is not None:
            values["revision_id"] = revision
        schedules = self.cms.schedules()
        view = self.do(
            lambda uow, actor: schedules.create(uow, actor, one.type, one.id, ScheduleChanges(**values))
        )
        if isinstance(view, CmsError):
            assert not one.is_at_hand
            return
        assert one.is_at_hand
        self.plans[view.id] = Planned(view.id, one.id, action, revision)

    @precondition(lambda self: self.plans)
    @rule(place=PLACES, minutes=st.integers(1, 3), cancels=st.booleans())
    def change_plans(self, place: int, minutes: int, cancels: bool) -> None:  # noqa: FBT001 - a drawn value
        plan = list(self.plans.values())[place % len(self.plans)]
        kind, schedules = self.kept[plan.document].type, self.cms.schedules()
        if cancels:
            work = partial(self._cancel, schedules, kind, plan)
            assert not isinstance(self.do(work), CmsError)
            del self.plans[plan.id]
            return
        at = (self.clock.at + timedelta(minutes=minutes)).isoformat()
        changes = ScheduleChanges(**{f"{plan.action}_at": at})
        self.do(
            lambda uow, actor: schedules.move(
                uow, actor, kind, plan.document, plan.id, changes, expected=None
            )
        )

    @staticmethod
    async def _cancel(schedules: Any, kind: str, plan: Planned, uow: Any, actor: Actor) -> None:
        await schedules.cancel(uow, actor, kind, plan.document, plan.id, expected=None)

    @rule(minutes=st.sampled_from([1, 2, 30]))
    def time_passes(self, minutes: int) -> None:
        self.clock.move(minutes=minutes)
        self.fire()

    def fire(self, workers: int = 1) -> None:
        """Do what is due, and see that it was done once and in order."""

        async def drain() -> None:
            while await self.firing.fire_next():
                pass

        async def all_of_them() -> None:
            await asyncio.gather(*(drain() for _ in range(workers)))

        self.run(all_of_them())
        done = self.rows(
            """
            SELECT s.id, s.state, s.lateness >= 0 FROM cms.schedules s
            WHERE s.id = ANY(%s) AND s.state <> 'pending' ORDER BY s.due_at, s.id
            """,
            [list(self.plans)],
        )
        for schedule, state, is_late in done:
            plan = self.plans.pop(schedule)
            assert state in ("done", "failed")
            if state == "done":
                assert is_late
                one = self.kept[plan.document]
                if plan.action == "unpublish":
                    self.gone_on(one, "unpublish")
                else:
                    self.published_now(one, plan.revision)
        overdue = self.rows(
            """
            SELECT count(*) FROM cms.schedules s
            WHERE s.state = 'pending' AND s.attempts = 0 AND s.due_at <= %s AND NOT EXISTS (
                SELECT FROM cms.schedules e WHERE e.document_id = s.document_id AND e.state = 'pending'
                  AND (e.due_at, e.id) < (s.due_at, s.id))
            """,
            [self.clock.at],
        )
        assert overdue == [(0,)], "a schedule did not fire"

    @rule(name=st.sampled_from(["x", "y", "z"]))
    @precondition(lambda self: len(self.tags) < 5)
    def make_tag(self, name: str) -> None:
        terms = self.cms.terms()
        self.tags.append(
            self.do(lambda uow, actor: terms.create(uow, actor, "tag", TermChanges(name=name))).id
        )

    @precondition(lambda self: self.tags)
    @rule(place=PLACES)
    def delete_tag(self, place: int) -> None:
        tag, terms = self.tags[place % len(self.tags)], self.cms.terms()
        answer = self.do(lambda uow, actor: terms.delete(uow, actor, "tag", tag, expected=None))
        contents = [content for one in self.kept.values() for content in (one.draft, one.live) if content]
        is_used = any(tag in getattr(content, "tags", ()) for content in contents)
        assert isinstance(answer, InUse) == is_used
        if not is_used:
            assert not isinstance(answer, CmsError)
            self.tags.remove(tag)

    @rule(most=st.integers(1, 3))
    def clear_out(self, most: int) -> None:
        """Old revisions go; what is in use, was published or is planned stays."""
        retention = self.cms.retention()
        for kind in PLURAL:
            changes = RetentionChanges(max_revisions=most)
            self.do(lambda uow, actor, k=kind, c=changes: retention.update(uow, actor, k, c, expected=None))
        self.run(retention.purge_revisions(self.app.unit_of_work))
        left = {key for (key,) in self.rows("SELECT id FROM cms.revisions", [])}
        planned = {plan.revision for plan in self.plans.values()}
        for one in self.kept.values():
            gone = set(one.revisions) - left
            assert not gone & one.published
            assert not gone & planned
            assert one.draft in [content for key, content in one.revisions.items() if key in left]
            one.revisions = {key: content for key, content in one.revisions.items() if key in left}

    # What must hold after every step

    @invariant()
    def all_is_well(self) -> None:
        self.has_failed = True
        self.check()
        self.has_failed = False

    def check(self) -> None:
        self.readers_see_what_was_published()
        self.drafts_are_what_was_saved_last()
        self.links_are_what_contents_say()
        self.nothing_dangles_and_every_address_leads_there()
        self.every_change_has_its_event()

    def readers_see_what_was_published(self) -> None:
        delivery = self.cms.delivery()
        every = PageRequest(sort=(SortKey("title"),), limit=100)
        for kind, plural in PLURAL.items():
            page = self.run(delivery.list(plural, every, Selection()))  # type: ignore[arg-type]
            seen = {UUID(item["id"]): item for item in (msgspec.json.decode(row.json) for row in page.items)}
            live = {one.id: one for one in self.kept.values() if one.type == kind and one.live is not None}
            assert set(seen) == set(live)
            for key, item in seen.items():
                content = live[key].live
                assert content is not None
                assert (item["title"], item["slug"]) == (content.title, content.slug)
                assert item["authors"] == [str(author) for author in content.authors]
                assert item["version"] <= live[key].version
                if isinstance(content, PostContent):
                    assert item["tags"] == [str(tag) for tag in content.tags]
                if isinstance(content, PageContent):
                    # A parent that is not live is nothing that readers may know of.
                    assert item["parent"] == (str(content.parent) if content.parent in live else None)
                assert "A sentence" in item["body"] or "A sentence" not in content.body

    def drafts_are_what_was_saved_last(self) -> None:
        every = PageRequest(
            sort=(SortKey("title"),), limit=100, filter=Comparison("trashed", "exists", (True,))
        )
        for kind in PLURAL:
            service: Any = self.cms.posts() if kind == "post" else self.cms.pages()
            found = {view.id: view for view in self.run(service.list(EDITOR, every)).items}
            kept = {one.id: one for one in self.kept.values() if one.type == kind}
            assert set(found) == set(kept), "a document can't be reached"
            for key, view in found.items():
                one = kept[key]
                assert view.version == one.version
                for name in one.draft.__struct_fields__:
                    assert getattr(view, name) == getattr(one.draft, name)
                assert view.has_unpublished_changes == (one.live is not None and one.live != one.draft)
                is_planned = any(
                    plan.document == key and plan.action == "publish" for plan in self.plans.values()
                )
                status = "scheduled" if is_planned else "draft"
                status = "archived" if one.is_archived else "published" if one.live else status
                assert view.status == status
                assert (view.trashed_at is not None) == one.is_trashed

    def links_are_what_contents_say(self) -> None:
        stored = {
            (document, is_live, name, position, kind, target)
            for document, is_live, name, position, kind, target in self.rows(
                "SELECT document_id, is_live, field, position, target_kind, target_id FROM cms.links", []
            )
        }
        told = {
            (one.id, is_live, link.field, link.position, link.kind, link.target)
            for one in self.kept.values()
            for is_live, content in ((False, one.draft), (True, one.live))
            if content is not None
            for link in content.links()
        }
        assert stored == told

    def nothing_dangles_and_every_address_leads_there(self) -> None:
        dangling = self.rows(
            """
            SELECT count(*) FROM cms.links l WHERE NOT EXISTS (
                SELECT FROM cms.authors WHERE id = l.target_id UNION ALL SELECT FROM cms.terms WHERE id = l.target_id
                UNION ALL SELECT FROM cms.documents WHERE id = l.target_id)
            """,
            [],
        )
        assert dangling == [(0,)]
        astray = self.rows(
            """
            SELECT count(*) FROM cms.documents d LEFT JOIN cms.documents above ON above.id = d.parent_id
            WHERE d.trashed_at IS NULL AND d.path <> concat_ws('/', above.path, d.slug)
            """,
            [],
        )
        assert astray == [(0,)]

    def every_change_has_its_event(self) -> None:
        told = dict(
            self.rows(
                """
                SELECT subject, count(DISTINCT payload->'version') FROM activity.events
                WHERE name LIKE 'document.%%' AND name <> 'document.duplicated' AND subject = ANY(%s) GROUP BY subject
                """,
                [list(self.kept)],
            )
        )
        assert told == {one.id: one.version for one in self.kept.values()}


def test_nothing_that_editors_do_breaks_what_readers_see(server: database.Server, tmp_path: Path) -> None:
    run_state_machine_as_test(
        lambda: Editors(server, tmp_path),
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
