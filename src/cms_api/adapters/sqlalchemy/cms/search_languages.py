"""Which text search configuration serves which language; the migration made them all."""

# ISO 639-1 to PostgreSQL's names (those of version 15). What is not here is searched word for word.
CONFIGURATIONS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian",
    "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip


def language_of(locale: str) -> str:
    """The name of the configuration for a locale like ``pt-BR``."""
    return CONFIGURATIONS.get(locale.partition("-")[0].lower(), "simple")
