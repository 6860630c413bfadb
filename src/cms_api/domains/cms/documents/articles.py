"""Documents of the built-in types: a title, and a body that is rendered for readers."""

from typing import Any, Generic, TypeVar

from cms_api.domains.cms.documents import seo
from cms_api.domains.cms.documents.content import Article
from cms_api.domains.cms.documents.interface import Changes, V
from cms_api.domains.cms.documents.mentions import targets_of
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.rendering import Public, PublicFields
from cms_api.domains.cms.documents.service import Documents
from cms_api.domains.cms.search.text import SearchText
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import invalid

A = TypeVar("A", bound=Article)


class Articles(Documents[A, Changes, V], Generic[A, Changes, V]):
    """The ground that posts and pages stand on."""

    def _first(self, actor: Actor, changes: Changes) -> dict[str, Any]:
        given = super()._first(actor, changes)
        if "title" not in given:
            raise invalid("/title", "required", "The field “title” is required.")
        return given

    def _name(self, given: dict[str, Any]) -> str:
        return str(given["title"])

    def _article(self, document: Document[A], common: dict[str, Any]) -> dict[str, Any]:
        """What all built-in types show."""
        draft = document.draft
        return {
            **common,
            "title": draft.title,
            "excerpt": draft.excerpt,
            "body": draft.body,
            "format": draft.format,
            "cover": draft.cover,
            "reading_time": self._renderer.reading_time(draft.body),
        }

    async def _public(self, content: A) -> Public:
        rendered = await self._renderer.render(content.body, content.format, excerpt=content.excerpt)
        return Public(
            fields={
                "excerpt": rendered.excerpt,
                "body": rendered.body,
                "seo": content.seo,
                "reading_time": rendered.reading_time,
            },
            seo=seo.told(content.seo, type=self.kind.key, title=content.title, excerpt=rendered.excerpt),
            toc=rendered.toc,
            others={name: {"body": body} for name, body in rendered.others.items()},
            mentions=targets_of([rendered.body]),
        )

    async def _searched(self, content: A, fields: PublicFields) -> SearchText:
        body = await self._renderer.text(fields["body"])
        # An excerpt that is made of the body is no reason to count those words twice.
        return SearchText.of(content.title, [("medium", content.excerpt), ("low", body)])
