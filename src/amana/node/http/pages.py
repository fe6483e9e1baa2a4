"""Pages and their files, held in memory, with the headers that keep them ours alone."""

import gzip
import mimetypes
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from litestar import Response, get
from litestar.params import FromPath

from amana.node.http.edge import Asked
from amana.node.problems import ProblemRaised

STATIC_FOLDER: Final = Path(__file__).parent.parent / "static"

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_GZIP_BYTES_MIN: Final = 512
_PAGES: Final = {"/": "index.html", "/wallet": "wallet.html", "/till": "till.html"}
_TYPES: Final = {".webmanifest": "application/manifest+json", ".js": "text/javascript"}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    zipped: bytes | None
    media_type: str
    etag: str


class Pages:
    """Every file of the built web part, by its path below the root."""

    def __init__(self, folder: Path = STATIC_FOLDER) -> None:
        self._files: dict[str, _File] = {}
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if path.is_file():
                self._files[path.relative_to(folder).as_posix()] = _load(path)

    @property
    def is_built(self) -> bool:
        """Whether the web part was built."""
        return "index.html" in self._files

    def answer(self, request: Asked, name: FromPath[str]) -> Response[bytes]:
        """Answer with a file, zipped where the browser takes it, or that it is unchanged."""
        file = self._files.get(name)
        if file is None:
            raise ProblemRaised("not-found")
        is_fixed = name.startswith("assets/")
        headers = {
            "ETag": file.etag,
            "Vary": "Accept-Encoding",
            "Cache-Control": _FOR_EVER if is_fixed else _ASK_AGAIN,
        }
        if request.headers.get("if-none-match") == file.etag:
            return Response(b"", status_code=304, headers=headers, media_type=file.media_type)
        content = file.content
        if file.zipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            content = file.zipped
        return Response(content, headers=headers, media_type=file.media_type)


def _load(path: Path) -> _File:
    content = path.read_bytes()
    guessed = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    media_type = guessed or "application/octet-stream"
    is_text = media_type.startswith(("text/", "application/")) or path.suffix == ".svg"
    zipped = gzip.compress(content, mtime=0) if is_text and len(content) > _GZIP_BYTES_MIN else None
    return _File(content, zipped, media_type, f'"{sha256(content).hexdigest()[:32]}"')


def _pages(request: Asked) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


@get(list(_PAGES), include_in_schema=False)
async def get_page(request: Asked) -> Response[bytes]:
    """Answer with a page of the web part."""
    return _pages(request).answer(request, _PAGES[request.url.path.rstrip("/") or "/"])


@get(
    ["/assets/{name:path}", "/icons/{name:path}"],
    include_in_schema=False,
)
async def get_asset(request: Asked, name: FromPath[str]) -> Response[bytes]:
    """Answer with a file that a page loads."""
    del name
    return _pages(request).answer(request, request.url.path.lstrip("/"))


_ROOT_FILES: Final = (
    "/manifest.webmanifest",
    "/till.webmanifest",
    "/service-worker.js",
    "/favicon.svg",
    "/favicon.ico",
)


@get(list(_ROOT_FILES), include_in_schema=False)
async def get_root_file(request: Asked) -> Response[bytes]:
    """Answer with a file that must stand at the root."""
    return _pages(request).answer(request, request.url.path.lstrip("/"))
