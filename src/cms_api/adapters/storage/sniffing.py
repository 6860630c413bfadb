"""What a file is, found by looking into it; the name it came with is not believed."""

from pathlib import Path

import puremagic
from PIL import Image, UnidentifiedImageError

from cms_api.kernel.errors import UnsupportedMedia

MAX_PIXELS = 100_000_000

# What is taken, and the ending that it is stored under. Nothing that a browser would run: no HTML, no SVG.
TYPES: dict[str, str] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "application/pdf": "pdf",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/quicktime": "mov",
    "video/ogg": "ogv",
    "application/zip": "zip",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "text/plain": "txt",
}
# The part that makes an archive a document. Its name stands in the directory at the archive's end.
ZIP_START = b"PK\x03\x04"
ZIP_DIRECTORY = 262_144
ZIPPED = {
    b"word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    b"xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    b"ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
# So much of a text is looked at.
TEXT_START = 65_536
ALIASES = {
    "audio/x-wav": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/wave": "audio/wav",
}
IMAGES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
}


def sniff(path: Path) -> tuple[str, int | None, int | None]:
    """The media type of a file, and the pixels of an image. Raises `UnsupportedMedia`."""
    if (image := _image(path)) is not None:
        return image
    if (archive := _archive(path)) is not None:
        return archive, None, None
    try:
        candidates = [match.mime_type for match in puremagic.magic_file(path)]
    except (puremagic.PureError, ValueError):
        candidates = []
    for candidate in candidates:
        kind = ALIASES.get(candidate, candidate)
        if kind in TYPES and not kind.startswith(("image/", "text/")):
            return kind, None, None
    if _is_text(path):
        return "text/plain", None, None
    raise UnsupportedMedia(f"Files of this type are not taken. Taken are: {', '.join(sorted(TYPES))}.")


def _image(path: Path) -> tuple[str, int, int] | None:
    try:
        with Image.open(path, formats=list(IMAGES)) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise UnsupportedMedia(f"An image has at most {MAX_PIXELS} pixels.")
            image.verify()
            return IMAGES[image.format or ""], width, height
    except UnidentifiedImageError:
        return None
    except (OSError, SyntaxError, ValueError, KeyError, Image.DecompressionBombError):
        raise UnsupportedMedia("The image is damaged.") from None


def _archive(path: Path) -> str | None:
    with path.open("rb") as file:
        if file.read(len(ZIP_START)) != ZIP_START:
            return None
        file.seek(max(0, path.stat().st_size - ZIP_DIRECTORY))
        directory = file.read()
    return next((kind for name, kind in ZIPPED.items() if name in directory), "application/zip")


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(TEXT_START)
    try:
        text = start.decode()
    except UnicodeDecodeError as error:
        # The last character may go on behind what was read; nothing else may be wrong.
        if len(start) < TEXT_START or error.reason != "unexpected end of data":
            return False
        text = start[: error.start].decode()
    lowered = text.lower()
    return "\0" not in text and not any(mark in lowered for mark in ("<html", "<script", "<svg", "<!doctype"))
