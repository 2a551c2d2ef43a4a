"""The buttons of a demonstration, pressed in a real browser, and what the page says of it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from node.explorer.catalogues import catalogues
from tests.explorer.looking import HEARD, LIES, READ

WAIT_MS: Final = 180_000
"""For a machine that is busy with something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the page says of a step that has been played."""

    verdict: str
    checked: list[str]
    """What was checked, and what was found."""
    failed: list[str]
    """Those that do not hold, of the same."""
    linked: list[str]
    """Paths of the transactions that were made."""
    state: str
    """Of the step, among the others: done, ready, later."""
    ready: list[str]
    """The steps that have a button now."""
    faults: list[str]
    """Of the page, on a phone."""


class Buttons:
    """The page of a development network in one window, with the steps of one demonstration."""

    def __init__(self, page: Any, language: str, play: str) -> None:
        self._page = page
        self._texts = catalogues()[language].texts
        self._path = {"en": "/development", "ur": "/ur/development"}[language]
        self._play = play

    async def press(self, step: str) -> Told:
        """Play a step, whose turn it is, from the page as it is by now."""
        page, title = self._page, self._texts[f"step-{self._play}-{step}"]
        await page.goto(self._path)
        await self._steps.filter(has_text=title).get_by_role("button").click()
        ended = page.locator("#done:not([data-running]) h2", has_text=title)
        await ended.wait_for(timeout=WAIT_MS)

        checks = page.locator("#done details .acts li:has(.mark)")
        ready = self._steps.filter(has=page.get_by_role("button")).locator("p")
        return Told(
            verdict=await page.locator("#done .verdict").inner_text(),
            checked=await checks.all_text_contents(),
            failed=await checks.filter(has=page.locator(".bad")).all_text_contents(),
            linked=await page.locator("#done a[href*='/transactions/']").evaluate_all(
                "(links) => links.map((each) => each.pathname)"
            ),
            state=await self._steps.filter(has_text=title).get_attribute("class"),
            ready=await ready.all_text_contents(),
            faults=[each for asked in (LIES, HEARD, READ) for each in await page.evaluate(asked)],
        )

    @property
    def _steps(self) -> Any:
        return self._page.locator(f"section[aria-labelledby=play-{self._play}] ol.steps > li")

    def title(self, step: str) -> str:
        """What the page calls a step."""
        return self._texts[f"step-{self._play}-{step}"]


@contextlib.asynccontextmanager
async def pressing(driver: Any, url: str, play: str) -> AsyncIterator[tuple[Buttons, Buttons]]:
    """Open two windows as wide as a phone: in English with script, and in Urdu without."""
    async with contextlib.AsyncExitStack() as stack:
        windows = []
        for language in ("en", "ur"):
            context = await driver.new_context(
                base_url=url,
                viewport={"width": 360, "height": 800},
                java_script_enabled=language == "en",
            )
            stack.push_async_callback(context.close)
            windows.append(Buttons(await context.new_page(), language, play))
        yield windows[0], windows[1]
