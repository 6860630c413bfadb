"""What readers get of the fields of an entry: as they are stored, with texts made safe."""

from collections.abc import Callable, Mapping
from typing import Any

from cms_api.domains.cms.content_types import shapes
from cms_api.domains.cms.content_types.fields import TEXTS, Field, MarkdownField
from cms_api.domains.cms.documents.content import Format
from cms_api.domains.cms.documents.mentions import targets_of
from cms_api.domains.cms.documents.ports import Renderer
from cms_api.domains.cms.documents.rendering import OtherFormat, Public, Rendered


async def rendered_values(renderer: Renderer, fields: tuple[Field, ...], values: Mapping[str, Any]) -> Public:
    """All fields, by format those with a text in them, and what the texts mention.

    Those too that readers don't see now: who may see one can change at any moment.
    """
    found: dict[str, Any] = {}
    others: dict[OtherFormat, dict[str, Any]] = {}
    bodies: list[str] = []
    for top in fields:
        name = str(top.id)
        if values.get(name) is None:
            continue
        texts: list[tuple[Field, str]] = []
        found[name] = shapes.mapped(top, values[name], _noting(texts))
        if not texts:
            continue
        rendered = [await _rendered(renderer, field, text) for field, text in texts]
        bodies += (own := [one.body for one in rendered])
        found[name] = shapes.mapped(top, values[name], _in_turn(own))
        for other in rendered[0].others:
            in_format = _in_turn([one.others[other] for one in rendered])
            others.setdefault(other, {})[name] = shapes.mapped(top, values[name], in_format)
    return Public(fields=found, others=others, mentions=targets_of(bodies))


def _noting(texts: list[tuple[Field, str]]) -> Callable[[Field, Any], Any]:
    def noted(field: Field, value: Any) -> Any:
        if isinstance(field, TEXTS):
            texts.append((field, value))
        return value

    return noted


def _in_turn(rendered: list[Any]) -> Callable[[Field, Any], Any]:
    """What puts the texts in the place of those that they were made of, one after the other."""
    left = iter(rendered)
    return lambda field, value: next(left) if isinstance(field, TEXTS) else value


async def _rendered(renderer: Renderer, field: Field, text: str) -> Rendered:
    kind: Format = "markdown" if isinstance(field, MarkdownField) else "html"
    return await renderer.render(text, kind, excerpt="-")
