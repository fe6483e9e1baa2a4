"""Every link in the documents leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
OUTSIDE = ("http://", "https://", "mailto:")


def documents() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for match in LINK.finditer(text):
        yield match[1] or match[2]


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_there_are_documents() -> None:
    assert len(documents()) > 10


def test_every_link_leads_to_a_file() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in documents()
        for link in links(page)
        if not link.startswith((*OUTSIDE, "#"))
        and not (page.parent / link.partition("#")[0]).exists()
    ]
    assert not broken, "\n".join(broken)


def test_every_anchor_is_a_heading() -> None:
    broken = []
    for page in documents():
        for link in links(page):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            is_ours = not link.startswith(OUTSIDE) and target.suffix == ".md"
            if anchor and is_ours and anchor not in anchors(target):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert not broken, "\n".join(broken)
