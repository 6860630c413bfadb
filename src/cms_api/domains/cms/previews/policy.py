"""The permission of previews. Nobody needs it for a preview of their own."""

MANAGE = "previews:manage"
PERMISSIONS: dict[str, str] = {MANAGE: "See and take back everybody's previews."}
