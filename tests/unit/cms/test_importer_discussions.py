"""Taking over what readers said elsewhere."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes_cms import FakeCms, ListSource
from tests.fakes_readers import FakePlaceQueries, FakeReaderCommentQueries, FakeRules
from tests.unit.cms.conftest import SITE
from tests.unit.cms.test_importer import LONG_AGO, counts, created, document, page, post, unchanged

from cms_api.domains.auth.api import UserService
from cms_api.domains.cms.imports import comments as taking
from cms_api.domains.cms.imports import steps
from cms_api.domains.cms.imports.source import SourceComment, SourceMenuItem
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.domains.cms.reader_comments.configuring import CommentConfiguration
from cms_api.domains.cms.reader_comments.importing import CommentImports
from cms_api.domains.cms.reader_comments.interface import PastComment, SettingChanges
from cms_api.domains.cms.reader_comments.model import ReaderComment
from cms_api.domains.cms.reader_comments.service import ReaderComments
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import Forbidden, Unauthenticated


def comment(key: str, **values: Any) -> SourceComment:
    return SourceComment(
        **(
            {
                "key": key,
                "document_key": "1",
                "parent_key": None,
                "state": "approved",
                "body": f"Comment {key}",
                "author_name": "Grace",
                "author_email": "grace@example.org",
                "author_url": None,
                "was_signed_in": False,
                "created_at": LONG_AGO + timedelta(minutes=int(key)),
                "order": int(key),
            }
            | values
        )
    )


@pytest.fixture
def moderation(cms: FakeCms) -> ReaderComments:
    return ReaderComments(
        clock=cms.clock, queries=FakeReaderCommentQueries(cms.store), rules=FakeRules(cms.store)
    )


@pytest.fixture
def configuration(cms: FakeCms) -> CommentConfiguration:
    return CommentConfiguration(
        clock=cms.clock, rules=FakeRules(cms.store), places=FakePlaceQueries(cms.store)
    )


def stored(cms: FakeCms, key: str) -> ReaderComment:
    return cms.store.reader_comments[cms.store.imported["old.example", "comment", key].target_id]


def above(cms: FakeCms, key: str) -> str | None:
    """The key of what a comment replies to here."""
    keys = {known.target_id: key for (_, kind, key), known in cms.store.imported.items() if kind == "comment"}
    parent = stored(cms, key).parent_id
    return None if parent is None else keys[parent]


def in_order(cms: FakeCms) -> list[str]:
    """The keys of all comments as threads are read."""
    keys = {known.target_id: key for (_, kind, key), known in cms.store.imported.items() if kind == "comment"}
    return [keys[one.id] for one in sorted(cms.store.reader_comments.values(), key=lambda one: one.path)]


async def test_as_it_was(cms: FakeCms, run) -> None:
    given = comment("5", author_url="https://grace.example/", body="One\n\n\n\ntwo <b>\u202e")
    report = await run(given, post("1"))
    assert counts(report.of("comment")) == created(1)
    assert (report.unplaced, report.notes) == ({}, [])
    made = stored(cms, "5")
    assert made.document_id == document(cms, "1").id
    assert (made.author_name, made.author_email, made.author_url) == (
        "Grace",
        "grace@example.org",
        "https://grace.example/",
    )
    assert (made.body, made.html) == (
        "One\n\ntwo <b>",
        '<p dir="auto">One</p><p dir="auto">two &lt;b&gt;</p>',
    )
    assert made.created_at == LONG_AGO + timedelta(minutes=5)
    assert made.updated_at == cms.clock.at
    assert (made.user_id, made.is_staff, made.client_hash, made.words_hash) == (None, False, None, None)


async def test_run_again_it_changes_nothing(cms: FakeCms, run) -> None:
    items = [post("1"), comment("5"), comment("6", parent_key="5"), comment("7", parent_key="99")]
    await run(*items)
    before = cms.store.copied()
    cms.clock.move(days=1)
    report = await run(*items)
    assert counts(report.of("comment")) == unchanged(3)
    assert report.notes == []
    assert cms.store.copied() == before


async def test_what_is_new_there_comes_in(cms: FakeCms, run) -> None:
    await run(post("1"), comment("5"))
    report = await run(post("1"), comment("5"), comment("6", parent_key="5"))
    assert counts(report.of("comment")) == (2, 1, 0, 1, 0)
    assert above(cms, "6") == "5"


async def test_states(cms: FakeCms, run) -> None:
    states = {"5": "approved", "6": "pending", "7": "spam", "8": "trash"}
    report = await run(post("1"), *(comment(key, state=state) for key, state in states.items()))
    assert counts(report.of("comment")) == created(4)
    assert {key: stored(cms, key).state for key in states} == states
    # They have been spam or trash here since now: what is purged after 30 days has 30 days.
    assert {stored(cms, key).state_since for key in states} == {cms.clock.at}


async def test_rules_and_rates_are_for_what_is_new(cms: FakeCms, run) -> None:
    cms.store.comment_rules = type(cms.store.comment_rules)(enabled=False, blocked_words=("comment",))
    report = await run(
        post("1", takes_comments=False), *(comment(str(key), body="The same comment") for key in range(20))
    )
    assert counts(report.of("comment")) == created(20)
    assert cms.store.comment_rates == {}
    assert {one.state for one in cms.store.reader_comments.values()} == {"approved"}


async def test_it_is_no_news(cms: FakeCms, run) -> None:
    await run(post("1"), comment("5"))
    (event,) = (event for event in cms.store.events if event.name.startswith("reader_comment"))
    assert (event.name, event.subject, event.actor) == (
        "reader_comment.imported",
        stored(cms, "5").id,
        None,
    )


async def test_threads(cms: FakeCms, run) -> None:
    await run(
        comment("5"), comment("6", parent_key="5"), comment("7"), comment("8", parent_key="6"), post("1")
    )
    assert [(key, above(cms, key)) for key in in_order(cms)] == [
        ("5", None),
        ("6", "5"),
        ("8", "6"),
        ("7", None),
    ]


async def test_order_is_that_of_the_dates_whenever_they_come_in(cms: FakeCms, run) -> None:
    same = LONG_AGO + timedelta(minutes=7)
    await run(post("1"), comment("9"), comment("8", created_at=same), comment("7", created_at=same))
    await run(post("1"), comment("3"))
    assert in_order(cms) == ["3", "7", "8", "9"]


async def test_deeper_than_replies_go(cms: FakeCms, run) -> None:
    keys = [str(number) for number in range(10)]
    parents = dict(zip(keys[1:], keys, strict=False))
    report = await run(post("1"), *(comment(key, parent_key=parents.get(key)) for key in keys))
    assert counts(report.of("comment")) == created(10)
    assert [stored(cms, key).depth for key in keys] == [0, 1, 2, 3, 4, 5, 5, 5, 5, 5]
    assert {above(cms, key) for key in keys[5:]} == {"4"}
    assert in_order(cms) == keys
    assert report.notes == []


async def test_below_what_readers_dont_see(cms: FakeCms, run) -> None:
    await run(post("1"), comment("5", state="spam"), comment("6", parent_key="5"))
    assert (above(cms, "6"), stored(cms, "6").state) == ("5", "approved")


async def test_replies_may_come_before_what_they_reply_to(cms: FakeCms, run) -> None:
    keys = [str(number) for number in range(5)]
    parents = dict(zip(keys[1:], keys, strict=False))
    report = await run(
        post("1"), *(comment(key, parent_key=parents.get(key)) for key in reversed(keys)), page("2")
    )
    assert counts(report.of("comment")) == created(5)
    assert [stored(cms, key).depth for key in keys] == [0, 1, 2, 3, 4]
    assert report.notes == []


async def test_a_reply_to_what_is_not_here_begins_a_thread(cms: FakeCms, run) -> None:
    other = comment("9", document_key="2")
    report = await run(
        post("1"), post("2", "Two"), comment("6", parent_key="5"), comment("7", parent_key="6"), other
    )
    assert counts(report.of("comment")) == created(3)
    assert (above(cms, "6"), above(cms, "7")) == (None, "6")
    assert report.notes == [("comment 6 on 1", "comment 5, which it replies to, is not here: at the top")]


@pytest.mark.parametrize(
    "pairs", [[("5", "5")], [("5", "6"), ("6", "5")], [("5", "7"), ("6", "5"), ("7", "6")]]
)
async def test_circles(run, pairs: list[tuple[str, str]]) -> None:
    report = await run(post("1"), *(comment(key, parent_key=parent) for key, parent in pairs))
    assert counts(report.of("comment")) == created(len(pairs))
    assert len(report.notes) == 1


async def test_few_wait_at_once(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "WAITING", 3 * steps.COST)
    report = await run(post("1"), *(comment(str(key), parent_key="99") for key in range(20)))
    assert counts(report.of("comment")) == created(20)
    assert len(report.notes) == 20


async def test_on_documents_that_are_not_here(run) -> None:
    report = await run(
        post("1"), comment("5", document_key="99"), comment("6", document_key=None), comment("7")
    )
    assert counts(report.of("comment")) == created(1)
    assert report.unplaced == {taking.UNPLACED: 2}


async def test_on_pages_and_drafts_and_in_the_trash(run) -> None:
    report = await run(
        page("1"),
        comment("5"),
        post("2", status="draft"),
        comment("6", document_key="2"),
        post("3", "Three", status="trashed"),
        comment("7", document_key="3"),
    )
    assert counts(report.of("comment")) == created(3)


async def test_what_cannot_be_a_comment_is_skipped(cms: FakeCms, run) -> None:
    report = await run(
        post("1"),
        comment("5", body=" \n"),
        comment("6", body="x" * 5_001),
        comment("7", author_name="x" * 101),
    )
    assert counts(report.of("comment")) == (3, 0, 0, 0, 3)
    assert [what for what, _ in report.notes] == [f"comment {key} on 1" for key in "567"]
    assert cms.store.reader_comments == {}


async def test_addresses_that_are_none_are_left_out(cms: FakeCms, run) -> None:
    report = await run(post("1"), comment("5", author_email="grace", author_url="javascript:alert(1)"))
    assert counts(report.of("comment")) == created(1)
    assert (stored(cms, "5").author_email, stored(cms, "5").author_url) == (None, None)
    assert [why for _, why in report.notes] == [
        "its e-mail address can't be one: left out",
        "its author's link can't be one: left out",
    ]
    assert counts((await run(post("1"), comment("6", author_email=None))).of("comment")) == created(1)


async def test_who_was_signed_in_is_known_by_her_address(cms: FakeCms, run) -> None:
    grace = cms.users.add("Grace", "grace@example.org")
    await run(post("1"), comment("5", was_signed_in=True), comment("6"))
    assert (stored(cms, "5").user_id, stored(cms, "6").user_id) == (grace, None)
    assert not stored(cms, "5").is_staff


async def test_a_date_that_nobody_knows(cms: FakeCms, run) -> None:
    await run(
        post("1"), comment("5", created_at=None), comment("6", created_at=datetime(1, 1, 2, tzinfo=UTC))
    )
    assert stored(cms, "5").created_at == cms.clock.at
    assert in_order(cms) == ["6", "5"]


async def test_what_was_decided_here_stays(cms: FakeCms, run, moderation: ReaderComments) -> None:
    items = [post("1"), comment("5"), comment("6"), comment("7", parent_key="6"), comment("8")]
    await run(*items)
    async with cms.uow() as uow:
        await moderation.moderate(uow, SYSTEM, stored(cms, "5").id, "spam", expected=None)
        await moderation.delete(uow, SYSTEM, stored(cms, "6").id, expected=None)
    changed = [post("1"), *(comment(key, body="Edited there", state="approved") for key in "5678")]
    report = await run(*changed, comment("9", parent_key="6"), comment("10", parent_key="7"))
    assert counts(report.of("comment")) == (6, 0, 0, 4, 2)
    assert [why for _, why in report.notes] == ["What it replies to is no longer there."] * 2
    assert stored(cms, "5").state == "spam"
    assert stored(cms, "8").body == "Comment 8"
    assert len(cms.store.reader_comments) == 2


async def test_on_a_document_that_was_deleted_here(cms: FakeCms, run) -> None:
    await run(post("1"))
    del cms.store.documents[document(cms, "1").id]
    report = await run(post("1"), comment("5"))
    assert report.unplaced == {}
    assert counts(report.of("comment")) == (1, 0, 0, 0, 1)


class Unplugged(Exception):
    """Somebody pulled the plug."""


@pytest.mark.parametrize("after", range(14))
async def test_an_interrupted_import_is_finished_by_the_next(cms: FakeCms, run, after: int) -> None:
    link = SourceMenuItem(
        key="9",
        menu_key="main",
        menu_name="Main",
        parent_key=None,
        order=1,
        label="",
        title="",
        target="post",
        target_kind="post",
        target_key="1",
        opens_in_new_tab=False,
        is_shown=True,
    )
    items = [
        comment("6", parent_key="5"),
        comment("5"),
        comment("7", parent_key="6"),
        post("1", takes_comments=False),
        link,
    ]
    begun = 0

    def new_uow() -> Any:
        nonlocal begun
        begun += 1
        if begun > after:
            raise Unplugged
        return cms.uow()

    # What is more than an import takes does not interrupt it.
    with suppress(Unplugged):
        await cms.imports.run(
            SYSTEM, ListSource(SITE, *items), new_uow=new_uow, fetch_files=False, progress=lambda _: None
        )
    await run(*items)
    assert [stored(cms, key).depth for key in "567"] == [0, 1, 2]
    assert len(cms.store.reader_comments) == 3
    assert is_open(cms, "1") is False
    (menu,) = cms.store.menus.values()
    assert [one.target.id for one in menu.items] == [document(cms, "1").id]
    again = await run(*items)
    assert counts(again.of("comment")) == unchanged(3)
    assert counts(again.of("menu")) == unchanged(1)


# Whether there may be more


def is_open(cms: FakeCms, key: str, kind: str = "post") -> bool | None:
    settings = cms.store.comment_settings.get(document(cms, key, kind).id)
    return None if settings is None else settings.is_open


async def test_closed_stays_closed_and_open_goes_by_the_rules(cms: FakeCms, run) -> None:
    await run(
        post("1", takes_comments=False),
        post("2", "Two", takes_comments=True),
        post("3", "Three"),
        page("4", takes_comments=False),
        post("5", "Five", status="trashed", takes_comments=False),
    )
    assert [is_open(cms, key) for key in "1235"] == [False, None, None, False]
    assert is_open(cms, "4", "page") is False
    assert cms.names().count("comment_settings.updated") == 3


async def test_whether_it_is_closed_is_no_change_of_the_document(cms: FakeCms, run) -> None:
    await run(post("1", takes_comments=True))
    async with cms.uow() as uow:
        await cms.posts.update(uow, SYSTEM, document(cms, "1").id, PostChanges(title="Mine"), expected=None)
    for takes, now in ((False, False), (False, False), (True, None), (None, None)):
        report = await run(post("1", takes_comments=takes))
        assert counts(report.of("post")) == unchanged(1)
        assert is_open(cms, "1") is now


async def test_whether_it_is_closed_is_decided_here(
    cms: FakeCms, run, configuration: CommentConfiguration
) -> None:
    await run(post("1", takes_comments=False), post("2", "Two"))
    async with cms.uow() as uow:
        for key in "12":
            await configuration.change_settings(
                uow, SYSTEM, "post", document(cms, key).id, SettingChanges(is_open=True), expected=None
            )
    await run(post("1", takes_comments=True), post("2", "Two", takes_comments=False))
    await run(post("1", takes_comments=False), post("2", "Two", takes_comments=False))
    assert (is_open(cms, "1"), is_open(cms, "2")) == (True, True)


async def test_in_the_trash_and_deleted_nothing_is_decided(cms: FakeCms, run) -> None:
    await run(post("1"), post("2", "Two"))
    async with cms.uow() as uow:
        await cms.posts.trash(uow, SYSTEM, document(cms, "1").id, expected=None)
    del cms.store.documents[document(cms, "2").id]
    report = await run(post("1", takes_comments=False), post("2", "Two", takes_comments=False))
    assert counts(report.of("post")) == unchanged(2)
    assert cms.store.comment_settings == {}


# The service


async def test_who_may(cms: FakeCms, run) -> None:
    await run(post("1"))
    users: UserService = cms.users
    service = CommentImports(clock=cms.clock, users=users)
    past = PastComment(
        body="Hm.",
        author_name="Grace",
        author_email=None,
        author_url=None,
        was_signed_in=True,
        state="approved",
        parent=None,
        created_at=LONG_AGO,
        order=1,
    )
    for actor, error in (
        (ANONYMOUS, Unauthenticated),
        (Actor(user_id=cms.users.add("Eve", "eve@example.org"), permissions=frozenset()), Forbidden),
    ):
        with pytest.raises(error):
            async with cms.uow() as uow:
                await service.take_over(uow, actor, "post", document(cms, "1").id, past)
