"""What readers get of the fields of an entry: as they are stored, with texts made safe."""

from collections.abc import Mapping
from typing import Any

from cms_api.domains.cms.content_types import shapes
from cms_api.domains.cms.content_types.fields import TEXTS, Field, MarkdownField
from cms_api.domains.cms.documents.ports import Renderer


async def public_values(
    renderer: Renderer, fields: tuple[Field, ...], values: Mapping[str, Any]
) -> dict[str, Any]:
    """All fields, those too that readers don't see now: who may see one can change at any moment."""
    texts: list[tuple[Field, str]] = []

    def noted(field: Field, value: Any) -> Any:
        if isinstance(field, TEXTS):
            texts.append((field, value))
        return value

    found = _mapped(fields, values, noted)
    if texts:
        rendered = iter([await _rendered(renderer, field, text) for field, text in texts])
        found = _mapped(
            fields, values, lambda field, value: next(rendered) if isinstance(field, TEXTS) else value
        )
    return found


def _mapped(fields: tuple[Field, ...], values: Mapping[str, Any], change: Any) -> dict[str, Any]:
    held = ((str(top.id), shapes.mapped(top, values.get(str(top.id)), change)) for top in fields)
    return {name: one for name, one in held if one is not None}


async def _rendered(renderer: Renderer, field: Field, text: str) -> str:
    kind = "markdown" if isinstance(field, MarkdownField) else "html"
    return (await renderer.render(text, kind, excerpt="-")).body  # type: ignore[arg-type]  # a format
