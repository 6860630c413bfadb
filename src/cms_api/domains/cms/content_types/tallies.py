"""Counting what becomes of stored values when their field changes."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from cms_api.domains.cms.content_types.conversions import Resolution, Unfit, fitted
from cms_api.domains.cms.content_types.fields import Field
from cms_api.domains.cms.content_types.interface import Change
from cms_api.domains.cms.content_types.ports import StoredFields

MAX_EXAMPLES = 5


class Tally:
    """What becomes of the values of a field, counted while the documents go by."""

    def __init__(self, after: Field | None, before: Field | None, resolution: Resolution | None) -> None:
        self.after, self.before, self.resolution = after, before, resolution
        self.touched: dict[str, tuple[set[UUID], set[UUID]]] = {}

    def see(self, row: StoredFields) -> None:
        """Count a document."""
        faces = [(0, row.draft)] + ([(1, row.live)] if row.live is not None else [])
        for face, fields in faces:
            for what in self._fate(fields.get(self.field_id)):
                self.touched.setdefault(what, (set(), set()))[face].add(row.id)
                if face == 0 and row.is_live and row.live is None:
                    self.touched[what][1].add(row.id)

    def _fate(self, value: Any) -> Iterator[str]:
        if self.after is None:
            if value is not None:
                yield "drop"
            return
        try:
            made = fitted(self.after, value, None)
        except Unfit:
            yield "fill" if value is None else "unfit"
            try:
                fitted(self.after, value, self.resolution)
            except Unfit:
                yield "lost"
            return
        if made != value and value is not None:
            yield "convert" if self._is_lossless(value, made) else "lossy"

    def _is_lossless(self, value: Any, made: Any) -> bool:
        if self.before is None:
            return True
        try:
            return bool(fitted(self.before, made, None) == value)
        except Unfit:
            return False

    @property
    def needs_conversion(self) -> bool:
        """Whether any value has to be made into another one."""
        return bool(self.touched)

    @property
    def field_id(self) -> str:
        """The id of the field, be it there or gone."""
        field = self.after or self.before
        return str(field.id) if field else ""

    def changes(self) -> Iterator[Change]:
        """What is to be told of it."""
        field = self.after or self.before
        if field is None:
            return
        told: list[tuple[str, str, str, tuple[Resolution, ...]]] = [
            ("drop", "drop_values", "have a value that is left out from now on", ("drop",)),
            ("convert", "convert_values", "get the same value in another form", ()),
            ("lossy", "convert_values", "get a value that says less", ("convert", "drop", "default")),
            ("unfit", "drop_values", "have a value that the field does not take", self._ways()),
            ("fill", "fill_values", "lack a value that is required", self._ways()),
        ]
        for what, action, words, ways in told:
            if what not in self.touched:
                continue
            drafts, live = self.touched[what]
            is_chosen = self.resolution in ways
            if what in ("unfit", "fill"):
                is_chosen = is_chosen and "lost" not in self.touched
            yield Change(
                action=action,  # type: ignore[arg-type]  # one of those above
                field=field.key,
                path=field.key,
                detail=f"{len(drafts | live)} documents {words}.",
                is_safe=not ways and what == "convert",
                drafts=len(drafts),
                live=len(live),
                examples=tuple(sorted(drafts | live))[:MAX_EXAMPLES],
                resolutions=ways,
                resolution=self.resolution if is_chosen else None,
            )

    def _ways(self) -> tuple[Resolution, ...]:
        after = self.after
        ways: tuple[Resolution, ...] = ()
        if after is not None and not after.required:
            ways += ("drop",)
        if getattr(after, "default", None) is not None:
            ways += ("default",)
        return ways
