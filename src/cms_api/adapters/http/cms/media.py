"""Uploading, describing and serving files."""

from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ASGIApp
from msgspec.json import encode

from cms_api.adapters.http.cms.schemas import MediaPatch, into
from cms_api.adapters.http.files import FileAnswer
from cms_api.adapters.http.items import item_query, item_response
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView
from cms_api.domains.cms.api import MEDIA, MediaChanges, MediaService, MediaView, Storage
from cms_api.kernel.errors import Malformed, NotFound, UnsupportedMedia
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.validation import decode

CHUNK = 65_536
MAX_FILENAME = 255
RANGES = {
    "Range": "The bytes that are wanted, as `bytes=0-99`; of several ranges, all of the file is sent.",
    "If-Range": "The `ETag` or `Last-Modified` that the range is of: all of the file is sent where it is of another.",
}
TEXTS = ("title", "alt", "caption")


class UploadController(Controller):
    """Files, as a list to add to: bodies are as long as uploads may be."""

    path = "/media"
    tags = ("media",)

    @post("/", operation_id="uploadMedia", opt={"multipart": True})
    async def upload(
        self,
        request: ApiRequest,
        media: NamedDependency[MediaService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[MediaView]:
        """Upload a file as `multipart/form-data`: the part `file`, and `title`, `alt`, `caption`."""
        file, texts = await _form(request)
        async with uow:
            asset = await media.upload(
                uow,
                request.user,
                filename=_filename(file),
                chunks=_chunks(file),
                changes=into(texts, MediaChanges),
            )
        return resource(request, asset, status=201, location=f"/api/v1/media/{asset.id}")

    @get("/", operation_id="listMedia", opt={"listing": MEDIA})
    async def list_media(
        self, request: ApiRequest, media: NamedDependency[MediaService]
    ) -> Response[ListView[MediaView]]:
        """The files."""
        query = list_query(request, MEDIA)
        return list_response(request, query, await media.list(request.user, query.request))


class MediaController(Controller):
    """Files, one by one."""

    path = "/media/{media_id:uuid}"
    tags = ("media",)

    @get(operation_id="getMedia", opt={"item_of": MEDIA})
    async def get(
        self, request: ApiRequest, media_id: FromPath[UUID], media: NamedDependency[MediaService]
    ) -> Response[MediaView]:
        """One file's record."""
        wanted = item_query(request, MEDIA)
        asset = await media.get(request.user, media_id)
        return item_response(request, asset, asset, MEDIA, wanted)

    @patch(operation_id="updateMedia", opt={"example": {"alt": "A tree in autumn"}})
    async def update(
        self,
        request: ApiRequest,
        media_id: FromPath[UUID],
        data: JSONBody[MediaPatch],
        if_match: NamedDependency[int | None],
        media: NamedDependency[MediaService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[MediaView]:
        """Change a file's texts."""
        async with uow:
            asset = await media.update(
                uow, request.user, media_id, into(data, MediaChanges), expected=if_match
            )
        return resource(request, asset)

    @delete(operation_id="deleteMedia")
    async def delete(
        self,
        request: ApiRequest,
        media_id: FromPath[UUID],
        if_match: NamedDependency[int | None],
        media: NamedDependency[MediaService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """Delete a file that no document and no author uses."""
        async with uow:
            await media.delete(uow, request.user, media_id, expected=if_match)


async def _form(request: ApiRequest) -> tuple[UploadFile, MediaPatch]:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnsupportedMedia("Send multipart/form-data with a part named “file”.")
    try:
        form = await request.form()
    except (UnicodeError, LookupError):
        raise Malformed("A part of the form is no text in the encoding that it names.") from None
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise Malformed("The form needs a part “file” that is a file.")
    if unknown := sorted({name for name in form if name not in ("file", *TEXTS)}):
        raise Malformed(f"There is no field “{unknown[0][:100]}” here.")
    given = {name: form[name] for name in TEXTS if name in form}
    if wrong := [name for name, value in given.items() if not isinstance(value, str)]:
        raise Malformed(f"The field “{wrong[0]}” is text, not a file.")
    return file, decode(encode(given), MediaPatch)


def _filename(file: UploadFile) -> str:
    name = PurePosixPath((file.filename or "file").replace("\\", "/")).name
    return "".join(c for c in name if c.isprintable())[:MAX_FILENAME] or "file"


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(CHUNK):
        yield chunk


@get(
    "/media/{key:path}",
    operation_id="getMediaFile",
    tags=["media"],
    opt={"public": True, "is_file": True, "headers": RANGES},
    media_type="*/*",
)
async def media_file(key: FromPath[Path], storage: NamedDependency[Storage]) -> ASGIApp:
    """A file's bytes, or a range of them. The name is new with each file, so they may be kept for good."""
    address = PurePosixPath(str(key).lstrip("/"))
    found = storage.find(address)
    if found is None:
        raise NotFound("There is no such file.")
    charset = "; charset=utf-8" if found.media_type.startswith("text/") else ""
    filename = "" if found.filename is None else f'; filename="{found.filename}"'
    return FileAnswer(
        found.path,
        str(address),
        {
            "Content-Type": f"{found.media_type}{charset}",
            "Content-Disposition": f"inline{filename}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )
