"""Answers for everybody: sent as they are, and kept by each worker until what they say changes.

An answer carries the keys of all that it was made of. The database tells which keys changed
(``cms.changes``); what carries one of them is dropped. While nobody listens to the database,
or a change of this worker's own is not heard of yet, every request goes past the cache.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any, NamedTuple

import msgspec
from litestar.enums import ScopeType
from litestar.types import (
    ASGIApp,
    HTTPResponseStartEvent,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
)

from cms_api import timings
from cms_api.adapters.http.compression import CODINGS, MIN_BYTES, acceptable, accepted
from cms_api.adapters.http.preconditions import CONDITIONAL, CONDITIONS, hash_tag, matches
from cms_api.adapters.http.previewing import is_preview

# What an answer, each head of it and a key of it take beside their bytes, about.
ANSWER_OVERHEAD = 2_000
HEAD_OVERHEAD = 1_000
KEY_OVERHEAD = 200
# Longer addresses are rarely asked for twice.
MAX_PLACE = 2_000
# A cache in front may tell thousands of tags apart, but headers have an end.
MAX_TAGS_LENGTH = 8_000
# Above that, an answer is compressed beside the requests: one at a time, as the memory that a thread
# has once worked in stays its own.
LARGE = 262_144
_compressor = ThreadPoolExecutor(1, "compressing")
# An answer of that many keys names ids whole as well, for people who look for them.
FEW_KEYS = 20
LOAD = "cms_load"
ASK = b"public, max-age=0, must-revalidate"
# Problems that everybody has who asks the same.
SHARED_PROBLEMS = frozenset({400, 404, 410, 422})
PROBLEM_HEADERS = frozenset({b"content-type", b"cache-control", b"vary"})
# An id, its last group, and what of that stands for it.
ID_LENGTH, GROUP_LENGTH, TAG_LENGTH = 36, 12, 8

Headers = list[tuple[bytes, bytes]]
Place = tuple[str, bytes]


def tag_of(key: str) -> str:
    """What stands for a key in `Cache-Tag`: of an id its end, 32 random bits, else the key itself.

    The server looks at every byte of a header each time it is sent, and lists have a hundred ids. Where
    two ids end alike, a purge of one drops what shows the other as well: that costs a question.
    """
    ends_in_id = len(key) >= ID_LENGTH and key[-GROUP_LENGTH - 1] == "-"
    return key[:-ID_LENGTH] + key[-TAG_LENGTH:] if ends_in_id else key


class CacheAges:
    """How long others may show an answer without asking, in seconds, by what it is about.

    ``pairs`` are like ``posts=60``, or ``posts=60+600`` where it may be shown for longer while they ask.
    """

    def __init__(self, default: int, pairs: Iterable[str]) -> None:
        self._default = _cache_control(default)
        self._ages = dict[str, bytes]()
        for name, _, ages in (pair.partition("=") for pair in pairs):
            fresh, _, stale = ages.partition("+")
            self._ages[name] = _cache_control(int(fresh), int(stale) if stale else None)

    def of(self, resource: str) -> bytes:
        """The Cache-Control of answers about ``resource``, which is a plural noun: ``posts``."""
        return self._ages.get(resource, self._default)


def _cache_control(age: int, stale: int | None = None) -> bytes:
    """With an age, others may show what was true so many seconds ago; without, they must ask.

    For ``stale`` seconds more, as long again where that is not given, they may show it while they ask.
    """
    stale = age if stale is None else stale
    if age == stale == 0:
        return ASK
    return f"public, max-age={age}, stale-while-revalidate={stale}".encode()


class Sent:
    """What is sent to many, as it is. ``head`` is how HTTP/1.1 writes its headers, once somebody wrote them."""

    __slots__ = ("body", "head", "headers", "status")

    def __init__(self, status: int, headers: Headers, body: bytes = b"") -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.head: bytes | None = None


class Form(NamedTuple):
    """An answer in a coding: its tag, and what is sent to who has not that, or has it."""

    tag: bytes
    whole: Sent
    unchanged: Sent


class Answer:
    """An answer that many may get: its bytes, once for each content coding that was asked for."""

    __slots__ = (
        "_body",
        "_cache",
        "_forms",
        "_head_size",
        "_headers",
        "_is_dated",
        "_media_type",
        "_packing",
        "_tag",
        "_untold",
        "_validators",
        "keys",
        "size",
    )

    def __init__(
        self,
        body: bytes,
        headers: Headers,
        keys: Iterable[str],
        *,
        media_type: bytes = b"application/json",
        date: str = "",
        is_dated: bool = True,
    ) -> None:
        """``date`` is its Last-Modified; ``is_dated`` says whether the answer is the same wherever that is.

        It is not told in that very second, in which it may change once more (RFC 9110, section 8.8.2.2).
        """
        self._body = body
        self._is_dated = is_dated
        self._untold = date
        self._media_type = media_type
        self._tag = hash_tag(body)
        self.keys = tuple(dict.fromkeys(filter(None, keys)))
        self._headers = headers
        known = len(headers)
        # Most are ids: see `tag_of`, which would have to be called for each.
        joined = ",".join([key[28:] if len(key) == ID_LENGTH else tag_of(key) for key in self.keys])
        if len(self.keys) <= FEW_KEYS:
            joined = ",".join([joined, *[key for key in self.keys if len(key) == ID_LENGTH]])
        if len(joined) > MAX_TAGS_LENGTH:
            # Nobody could be told to drop it: it is not to be shown without asking.
            headers[:] = [one for one in headers if one[0] != b"cache-control"]
            headers.append((b"cache-control", ASK))
        elif joined:
            headers.append((b"cache-tag", joined.encode()))
        # What a 304 repeats (RFC 9110, section 15.4.5): the tags are known to who has the answer.
        self._validators = headers[:known]
        self._cache: ResponseCache | None = None
        self._packing: dict[str, asyncio.Future[bytes]] | None = None
        self._forms: dict[str | None, Form] = {None: self._form(None, body)}
        self._head_size = len(joined) + HEAD_OVERHEAD
        self.size = (
            len(body) + len(joined) + self._head_size + ANSWER_OVERHEAD + KEY_OVERHEAD * len(self.keys)
        )

    def keep(self, cache: "ResponseCache | None") -> None:
        """Be kept by ``cache``, or by none any more."""
        self._cache = cache

    def ready(self, given: Mapping[bytes, bytes]) -> Sent | None:
        """What is sent to whom gives these headers, 304 where she has it; None where a coding is not made yet."""
        if self._untold and self._untold != formatdate(usegmt=True):
            self._tell_date()
        codings = given.get(b"accept-encoding", b"")
        form = self._forms.get(accepted(codings))
        if form is None:
            return None
        if (tags := given.get(b"if-none-match")) is not None:
            known = tags.decode("latin-1")
            if matches(known, form.tag.decode()):
                return form.unchanged
            # Each coding has its tag, and she may have another one than she would get now.
            for tag in (_coded(self._tag, one) for one in (None, *acceptable(codings))):
                if matches(known, tag):
                    return self._unchanged(tag.encode())
        elif (since := given.get(b"if-modified-since")) is not None and self._is_as_of(since):
            return form.unchanged
        return form.whole

    def _tell_date(self) -> None:
        header = (b"last-modified", self._untold.encode())
        self._untold = ""
        self._headers.append(header)
        self._validators.append(header)
        for form in self._forms.values():
            for ready in (form.whole, form.unchanged):
                ready.headers.append(header)
                ready.head = None

    def _unchanged(self, tag: bytes) -> Sent:
        return Sent(304, [*self._validators, (b"etag", tag)])

    def _is_as_of(self, date: bytes) -> bool:
        """Whether it is as it was when this date was told: it is the very same. What went makes a date earlier."""
        return self._is_dated and (b"last-modified", date) in self._headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del receive
        given = dict(scope["headers"])
        if scope["type"] == ScopeType.HTTP and scope["method"] not in CONDITIONAL:
            given = {name: value for name, value in given.items() if name not in CONDITIONS}
        while (ready := self.ready(given)) is None:
            await self._make(accepted(given.get(b"accept-encoding", b"")))
        # Who is on the way changes the list that is sent, and these are kept.
        await send({"type": "http.response.start", "status": ready.status, "headers": [*ready.headers]})
        await send({"type": "http.response.body", "body": ready.body, "more_body": False})

    async def _make(self, coding: str | None) -> None:
        """Have a coding. Only what is kept is worth being compressed."""
        if coding is None or self._cache is None or len(self._body) < MIN_BYTES:
            self._forms[coding] = self._forms[None]
            return
        make = CODINGS[coding]
        if len(self._body) <= LARGE:
            packed = make(self._body)
        else:
            if self._packing is None:
                self._packing = {}
            if (packing := self._packing.get(coding)) is None:
                packing = self._packing[coding] = _beside(make, self._body)
            packed = await asyncio.shield(packing)
            if coding in self._forms:  # another request was quicker
                return
            self._packing.pop(coding, None)
        self._forms[coding] = self._form(coding, packed)
        if self._cache is not None:
            self._cache.grow(self, len(packed) + self._head_size)

    def _form(self, coding: str | None, body: bytes) -> Form:
        tag = _coded(self._tag, coding).encode()
        headers = [
            *self._headers,
            (b"etag", tag),
            (b"content-type", self._media_type),
            (b"content-length", str(len(body)).encode()),
        ]
        if coding is not None:
            headers.append((b"content-encoding", coding.encode()))
        return Form(tag, Sent(200, headers, body), self._unchanged(tag))


class Redirection(Answer):
    """Where something is from now on (301): kept as other answers, but no version of anything that one could have."""

    __slots__ = ()

    def __init__(self, location: str, headers: Headers, keys: Iterable[str]) -> None:
        super().__init__(b"", [*headers, (b"location", location.encode())], keys)

    def ready(self, given: Mapping[bytes, bytes]) -> Sent | None:
        """What is sent to everybody."""
        del given
        return self._forms[None].whole

    def _form(self, coding: str | None, body: bytes) -> Form:
        del coding
        sent = Sent(301, [*self._headers, (b"content-length", b"0")], body)
        return Form(b"", sent, sent)


def _beside(make: Callable[[bytes], bytes], body: bytes) -> asyncio.Future[bytes]:
    return asyncio.get_running_loop().run_in_executor(_compressor, make, body)


def _coded(tag: str, coding: str | None) -> str:
    """The strong tag of a coding: other bytes, another tag (RFC 9110, section 8.8.3)."""
    return tag if coding is None else f'{tag[:-1]}-{coding}"'


class Load:
    """The making of an answer. Others that want the same one wait for it."""

    __slots__ = ("_cache", "_made", "answer", "is_private", "missed", "place")

    def __init__(self, cache: "ResponseCache", place: Place) -> None:
        self._cache = cache
        self._made = asyncio.Event()
        self.place = place
        # What others get, too. A problem is told to who waits, and kept for nobody.
        self.answer: Answer | ToldProblem | None = None
        # Whether it was answered with what only that request may get: the others ask for themselves.
        self.is_private = False
        # What changed since it was begun: it may not have seen that.
        self.missed: set[str] = set()

    def fill(self, answer: Answer) -> None:
        """There it is."""
        self.answer = answer
        self._cache.store(self, answer)
        self._made.set()

    def end(self) -> None:
        """Nothing more comes of it."""
        self._cache.forget(self)
        self._made.set()

    async def made(self) -> "Answer | ToldProblem | None":
        """What came of it, once it is there; None where that is nothing that others may get."""
        await self._made.wait()
        return self.answer

    def watching(self, send: Send) -> Send:
        """``send``, with problems noted: a stampede for what is not there costs one question, too."""
        start: HTTPResponseStartEvent | None = None

        async def watched(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message if message["status"] in SHARED_PROBLEMS else None
                self.is_private = self.answer is None and start is None
            elif message["type"] == "http.response.body" and start is not None:
                if not message["more_body"]:  # else it is none of ours: they have one part
                    self.answer = ToldProblem(start["status"], start["headers"], message["body"])
                start = None
            await send(message)

        return watched


class ToldProblem:
    """A problem as it was told to one request, for others that asked the same meanwhile."""

    __slots__ = ("_headers", "_members", "_status")

    def __init__(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        self._status = status
        self._headers = [one for one in headers if one[0] in PROBLEM_HEADERS]
        self._members = msgspec.json.decode(body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, under the id of the request that gets it."""
        del receive
        body = msgspec.json.encode({**self._members, "request_id": scope.get("cms_request_id", "")})
        headers = [*self._headers, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


class ResponseCache:
    """The answers that one worker keeps: the last used ones, ``limit`` bytes of them in all."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._answers: OrderedDict[Place, Answer] = OrderedDict()
        self._places: dict[Answer, Place] = {}
        self._users: dict[str, set[Answer]] = {}
        # All that are at it, and those of them that others may wait for.
        self._begun: set[Load] = set()
        self._loads: dict[Place, Load] = {}
        self._is_listening = False
        # Transactions of this worker that were not heard of yet; whether they are committed.
        self._awaited: dict[str, bool] = {}
        # Those that may end before anybody listens again: whether they will be heard of is not known.
        self._unheard: set[str] = set()
        self.size = 0

    @property
    def is_current(self) -> bool:
        """Whether what is kept says what the database says."""
        return self._is_listening and not self._awaited and self._limit > 0

    def __len__(self) -> int:
        """How many answers are kept."""
        return len(self._answers)

    def find(self, place: Place) -> Answer | None:
        """The answer that is kept for a request."""
        answer = self._answers.get(place)
        if answer is not None:
            self._answers.move_to_end(place)
        return answer

    def loading(self, place: Place) -> Load | None:
        """The making of that answer, where somebody is at it."""
        return self._loads.get(place)

    def begin(self, place: Place) -> Load:
        """Begin to make an answer."""
        load = self._loads[place] = Load(self, place)
        self._begun.add(load)
        return load

    def forget(self, load: Load) -> None:
        """Let nobody wait for ``load`` any more."""
        self._begun.discard(load)
        if self._loads.get(load.place) is load:
            del self._loads[load.place]

    def store(self, load: Load, answer: Answer) -> None:
        """Keep an answer, unless something that it is made of changed meanwhile."""
        is_known = load in self._begun  # what was begun before all was dropped is not
        self.forget(load)
        if (
            not is_known
            or not self.is_current
            or not load.missed.isdisjoint(answer.keys)
            or answer.size > self._limit // 8
        ):
            return
        self._drop(self._answers.get(load.place))
        self._answers[load.place] = answer
        self._places[answer] = load.place
        answer.size += len(load.place[0]) + len(load.place[1])
        for key in answer.keys:
            self._users.setdefault(key, set()).add(answer)
        answer.keep(self)
        self.size += answer.size
        self._shrink()

    def grow(self, answer: Answer, number: int) -> None:
        """Count ``number`` bytes more of an answer that is kept."""
        answer.size += number
        self.size += number
        self._shrink()

    def _shrink(self) -> None:
        """Drop what is beyond the limit."""
        while self.size > self._limit and self._answers:
            self._drop(next(iter(self._answers.values())))

    def clear(self) -> None:
        """Drop everything, also what is being made at the moment."""
        for answer in self._places:
            answer.keep(None)
        self._answers.clear()
        self._places.clear()
        self._users.clear()
        self._begun.clear()
        self._loads.clear()
        self.size = 0

    def changed(self, keys: Collection[str]) -> None:
        """Drop what is made of one of ``keys``. What is being made may have seen the change or not."""
        for key in keys:
            for answer in list(self._users.get(key, ())):
                self._drop(answer)
        for load in self._begun:
            load.missed.update(keys)
        self._loads.clear()  # whoever comes now must see the change

    def listening(self) -> None:
        """From now on every change is told. What was before may have been missed."""
        self.clear()
        self._is_listening = True

    def deaf(self) -> None:
        """Changes are not told any more."""
        self._is_listening = False
        self._unheard.update(xact for xact, is_committed in self._awaited.items() if not is_committed)
        self._awaited.clear()
        self.clear()

    def expect(self, xact: str) -> None:
        """A transaction of this worker is about to commit: until it is heard of, nothing kept counts."""
        if self._is_listening:
            self._awaited[xact] = False
        else:
            self._unheard.add(xact)

    def committed(self, xact: str) -> None:
        """It did."""
        if xact in self._awaited:
            self._awaited[xact] = True
        elif xact in self._unheard:
            self._unheard.remove(xact)
            self.clear()  # what is read from now on has seen it

    def heard(self, xact: str) -> None:
        """It was told of, and all of its changes before it; or it came to nothing."""
        self._awaited.pop(xact, None)
        self._unheard.discard(xact)

    def _drop(self, answer: Answer | None) -> None:
        if answer is None:
            return
        answer.keep(None)
        self.size -= answer.size
        del self._answers[self._places.pop(answer)]
        for key in answer.keys:
            users = self._users[key]
            users.discard(answer)
            if not users:
                del self._users[key]


class CachedAnswers:
    """Answers from the cache, in front of the application: GET of what is public, by nobody in particular.

    Whoever signs in goes past it, and so reads what she has written, on every worker.
    """

    def __init__(
        self, app: ASGIApp, cache: ResponseCache, *, prefixes: tuple[str, ...], but: tuple[str, ...] = ()
    ) -> None:
        self._app = app
        self._cache = cache
        self._prefixes = prefixes
        self._but = but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, at best without the application."""
        cache = self._cache
        if (
            scope["type"] != ScopeType.HTTP
            or not cache.is_current
            or not self._is_for_everybody(scope, dict(scope["headers"]))
        ):
            await self._app(scope, receive, send)
            return
        place = (scope["path"], scope["query_string"])
        answer: Answer | ToldProblem | None = cache.find(place)
        # Where the one who was at it went away, the next one is, and the others wait for that.
        while answer is None and (load := cache.loading(place)) is not None:
            answer = await load.made()
            if load.is_private:
                break
        if answer is not None:
            if (timing := timings.current.get()) is not None:
                timing.is_cached = True
            await answer(scope, receive, send)
            return
        load = cache.begin(place)
        scope[LOAD] = load  # type: ignore[literal-required]  # a key of our own
        try:
            await self._app(scope, receive, load.watching(send))
        finally:
            load.end()

    def ready(self, scope: HTTPScope, given: Mapping[bytes, bytes]) -> Sent | None:
        """What is kept for a request with these headers, in the coding that it takes."""
        if not self._cache.is_current or not self._is_for_everybody(scope, given):
            return None
        answer = self._cache.find((scope["path"], scope["query_string"]))
        return None if answer is None else answer.ready(given)

    def _is_for_everybody(self, scope: HTTPScope, given: Mapping[bytes, bytes]) -> bool:
        return (
            scope["method"] == "GET"
            and scope["path"].startswith(self._prefixes)
            and len(scope["path"]) + len(scope["query_string"]) <= MAX_PLACE
            and not is_preview(scope["query_string"], given)
            and b"authorization" not in given
            and not scope["path"].startswith(self._but)
        )


def shared(scope: Scope, answer: Answer) -> Answer:
    """An answer that everybody may get: kept, where this request may fill the cache."""
    load: Any = scope.get(LOAD)  # see CachedAnswers
    if load is not None:
        load.fill(answer)
    return answer
