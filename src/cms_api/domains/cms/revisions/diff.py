import msgspec


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    pointer: str


def compare(before: msgspec.Struct, after: msgspec.Struct) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(pointer=n) for n in before.__struct_fields__ if getattr(before, n) != getattr(after, n)
    )
