"""Lists that go on by cursor, and back again the way one came."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.explorer.owing import SOLD
from tests.explorer.reading_html import Parsed
from tests.explorer.stage import Stage, stage
from tests.explorer.test_past import pay

WALKED = (
    "/assets",
    "/ur/participants",
    "/securities",
    f"/ur/auctions/{SOLD}",
    "/search?q=for",
)


async def test_lists_lead_back_the_way_one_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in {
        "cursors": "ROWS_MAX",
        "securities": "ROWS_MAX",
        "past": "TEXTS_SHOWN_MAX",
    }.items():
        monkeypatch.setattr(f"node.explorer.{module}.{name}", 2)
    async with stage(index=tmp_path / "index.sqlite") as shown:
        await pay(shown.solo.town, *(f"for {number}" for number in range(5)))
        await shown.solo.indexed()
        for path in WALKED:
            came = [visited async for visited in walk(shown, path, "next")]
            back = [visited async for visited in walk(shown, came[-1][0], "prev")]

            assert len(came) >= 2, path
            assert back == came[::-1], path


async def test_a_way_back_that_is_too_long_for_a_link_ends_earlier(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.explorer.cursors.ROWS_MAX", 6)
    monkeypatch.setattr("node.explorer.cursors.TRAIL_MAX", 60)
    async with stage() as shown:
        came = [visited async for visited in walk(shown, "/rules", "next")]
        back = [visited async for visited in walk(shown, came[-1][0], "prev")]

        assert all(len(path.partition("via=")[2]) <= 60 * 3 for path, _ in came)
        assert 3 <= len(back) < len(came)
        assert [content for _, content in back] == [
            content for _, content in came[: -len(back) - 1 : -1]
        ]
        assert "/rules" in Parsed((await shown.get(back[-1][0]))[1]).links()


async def test_a_way_back_that_no_page_gave_is_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.explorer.cursors.ROWS_MAX", 2)
    async with stage() as shown:
        (_, first), (second, _), *_ = [visited async for visited in walk(shown, "/rules", "next")]
        named = second.partition("&via=")[0]
        for via in ("", "&via=%3Cb%3E", "&via=" + "a" * 701, "&via=a%0Ab"):
            status, html = await shown.get(named + via)
            assert status == 200, via
            assert not [link for link in Parsed(html).all("a") if link.get("rel") == "prev"], via
        status, html = await shown.get(second)
        (back,) = [link["href"] for link in Parsed(html).all("a") if link.get("rel") == "prev"]
        assert back == "/rules"
        assert first == main_of((await shown.get("/rules"))[1])


async def walk(shown: Stage, path: str, relation: str) -> AsyncIterator[tuple[str, str]]:
    """Yield the path and content of a page, and of those to which its links of a relation lead."""
    following: str | None = path
    while following is not None:
        status, html = await shown.get(following)
        assert status == 200, following
        yield following, main_of(html)
        links = [link["href"] for link in Parsed(html).all("a") if link.get("rel") == relation]
        assert len(links) <= 1, following
        following = links[0] if links else None


def main_of(html: str) -> str:
    """Return the content of a page without the links to others of its list."""
    main = html.partition("<main")[2].partition("</main>")[0]
    return re.sub(r'<nav class="pager".*?</nav>', "", main, flags=re.DOTALL)
