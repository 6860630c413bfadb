"""What a file is, whatever it is called."""

import struct
import wave
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from cms_api.adapters.storage.sniffing import TYPES, sniff
from cms_api.kernel.errors import UnsupportedMedia


def image(form: str, size: tuple[int, int] = (3, 2)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "green").save(out, form)
    return out.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG file that claims a size and has no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def wav() -> bytes:
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 100)
    return out.getvalue()


def zipped(*names: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "words")
    return out.getvalue()


OFFICE = "application/vnd.openxmlformats-officedocument"
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


@pytest.fixture
def sniffed(tmp_path: Path):
    def look(body: bytes, name: str = "upload") -> tuple[str, int | None, int | None]:
        path = tmp_path / name
        path.write_bytes(body)
        return sniff(path)

    return look


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
    ],
)
@pytest.mark.parametrize("name", ["upload", "tree.txt", "tree.html", "tree.pdf"])
def test_images_are_known_with_their_pixels(sniffed, form: str, media_type: str, name: str) -> None:
    assert sniffed(image(form), name) == (media_type, 3, 2)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (PDF, "application/pdf"),
        (b"Plain words.\n", "text/plain"),
        ("Grüße, 你好\n".encode(), "text/plain"),
        (b"# Title\n\n*markdown*\n", "text/plain"),
        (b"a,b\n1,2\n", "text/plain"),
        (wav(), "audio/wav"),
        (zipped("a.txt", "word.xml"), "application/zip"),
        (zipped("[Content_Types].xml", "word/document.xml"), f"{OFFICE}.wordprocessingml.document"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), f"{OFFICE}.spreadsheetml.sheet"),
        (zipped("[Content_Types].xml", "ppt/presentation.xml"), f"{OFFICE}.presentationml.presentation"),
        (b"fLaC\0\0\0\x22" + bytes(34), "audio/flac"),
    ],
    ids=["pdf", "text", "unicode", "markdown", "csv", "wav", "zip", "docx", "xlsx", "pptx", "flac"],
)
def test_other_files_are_known(sniffed, body: bytes, media_type: str) -> None:
    assert sniffed(body) == (media_type, None, None)


@pytest.mark.parametrize("name", ["tree.png", "tree.jpg", "tree.txt", "upload"])
@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><script>alert(1)</script></html>",
        b"<html><body onload=alert(1)></body></html>",
        b"  \n<script>alert(1)</script>",
        b"words, and then <SCRIPT>alert(1)</SCRIPT>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"<svg onload=alert(1)>",
        b"MZ\x90\0\3\0\0\0",
        b"\x7fELF\2\1\1\0",
        b"\xff\xfe<\0h\0t\0m\0l\0>\0",
        b"\xff\xfe\xfa\xfb random \x80\x81",
        b"words with a \0 in them",
    ],
)
def test_what_runs_is_refused_whatever_it_is_called(sniffed, body: bytes, name: str) -> None:
    with pytest.raises(UnsupportedMedia):
        sniffed(body, name)


@pytest.mark.parametrize("form", ["BMP", "TIFF", "ICO"])
def test_images_of_other_kinds_are_refused(sniffed, form: str) -> None:
    with pytest.raises(UnsupportedMedia):
        sniffed(image(form, (16, 16)), "tree.png")


def test_half_an_image_is_refused(sniffed) -> None:
    with pytest.raises(UnsupportedMedia, match="damaged"):
        sniffed(image("PNG", (300, 200))[:60])


def test_an_image_that_would_fill_the_memory_is_refused(sniffed) -> None:
    assert sniffed(png_of(9_000, 9_000)) == ("image/png", 9_000, 9_000)
    with pytest.raises(UnsupportedMedia):
        sniffed(png_of(60_000, 60_000))


def test_words_may_be_cut_within_a_letter(sniffed) -> None:
    """Only the start of a file is looked at, which may end in the middle of a character."""
    assert sniffed(b"a" + "ü".encode() * 40_000)[0] == "text/plain"


def test_each_type_has_an_ending_of_its_own() -> None:
    assert len(set(TYPES.values())) == len(TYPES)
    assert not {"html", "htm", "svg", "xml", "js", "xhtml"} & set(TYPES.values())
