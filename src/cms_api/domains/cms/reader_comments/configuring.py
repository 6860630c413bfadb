"""Deciding where readers may comment."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UnsetType

from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.documents.subjects import SubjectRepository
from cms_api.domains.cms.reader_comments import policy
from cms_api.domains.cms.reader_comments.events import (
    RULES_ID,
    CommentRulesUpdated,
    CommentSettingsUpdated,
)
from cms_api.domains.cms.reader_comments.interface import (
    CommentRuleService,
    CommentSettingsView,
    RuleChanges,
    SettingChanges,
)
from cms_api.domains.cms.reader_comments.ports import (
    CommentRules,
    PlaceQueries,
    PlaceRepository,
    RulesRepository,
)
from cms_api.domains.cms.reader_comments.rules import (
    DocumentSettings,
    Place,
    ReaderCommentRules,
    accepts,
    checked,
)
from cms_api.domains.cms.resources import given
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import invalid
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.kernel.versions import check_version


class CommentConfiguration(CommentRuleService):
    """The service of rules and settings."""

    def __init__(self, *, clock: Clock, rules: CommentRules, places: PlaceQueries) -> None:
        self._clock = clock
        self._rules = rules
        self._places = places

    async def rules(self, actor: Actor) -> ReaderCommentRules:
        actor.require(policy.READ)
        return await self._rules.get()

    async def change_rules(
        self, uow: UnitOfWork, actor: Actor, changes: RuleChanges, *, expected: int | None
    ) -> ReaderCommentRules:
        actor.require(policy.CONFIGURE)
        values = checked(given(changes))
        repository = uow.repository(RulesRepository)
        found = await repository.get()
        check_version(found.version, expected)
        if not (changed := _changed(found, values)):
            return found
        rules = msgspec.structs.replace(found, **values, **self._stamp(actor, found.version))
        await repository.save(rules)
        uow.record(CommentRulesUpdated(subject=RULES_ID, version=rules.version, changed=changed).by(actor))
        return rules

    async def settings(self, actor: Actor, kind: str, document_id: UUID) -> CommentSettingsView:
        actor.require(policy.READ)
        if (place := await self._places.get(kind, document_id)) is None:
            raise DocumentNotFound
        return await self._view(place, place.settings)

    async def change_settings(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        changes: SettingChanges,
        *,
        expected: int | None,
    ) -> CommentSettingsView:
        actor.require(policy.CONFIGURE)
        _check_moment(changes.closes_at)
        # Alone: settings that nobody has stored yet have no row that could be locked.
        document = await uow.repository(SubjectRepository).get(kind, document_id, alone=True)
        places = uow.repository(PlaceRepository)
        if document is None or (place := await places.get(kind, document_id)) is None:
            raise DocumentNotFound
        found, values = place.settings, given(changes)
        check_version(found.version, expected)
        document.require_untrashed()
        if not _changed(found, values):
            return await self._view(place, found)
        settings = msgspec.structs.replace(found, **values, **self._stamp(actor, found.version))
        await places.save(settings)
        uow.record(
            CommentSettingsUpdated(
                subject=document_id, version=settings.version, is_open=settings.is_open
            ).by(actor)
        )
        return await self._view(place, settings)

    def _stamp(self, actor: Actor, version: int) -> dict[str, Any]:
        return {"version": version + 1, "updated_at": self._clock.now(), "updated_by": actor.user_id}

    async def _view(self, place: Place, settings: DocumentSettings) -> CommentSettingsView:
        now = msgspec.structs.replace(place, settings=settings)
        return CommentSettingsView(
            document_id=settings.document_id,
            is_open=settings.is_open,
            closes_at=settings.closes_at,
            accepts=accepts(now, await self._rules.get(), at=self._clock.now()),
            version=settings.version,
            updated_at=settings.updated_at,
            updated_by=settings.updated_by,
        )


def _changed(found: msgspec.Struct, values: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for name, value in values.items() if getattr(found, name) != value)


def _check_moment(closes_at: datetime | UnsetType | None) -> None:
    if isinstance(closes_at, datetime):
        try:
            closes_at.astimezone(UTC)
        except OverflowError:
            raise invalid("/closes_at", "range", "In UTC this is outside of the years 1 to 9999.") from None
