"""What every page has to be, whoever opens it and however wide the screen is."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Response

WIDE, NARROW = 1280, 320
HEIGHT = 900
SMALLEST_TARGET = 24
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_OPTIONS = {"runOnly": {"type": "tag", "values": STANDARDS}, "resultTypes": ["violations"]}
# Nothing is folded away on a wide screen, so contrast, which takes most of the time, is looked at there alone.
AXE_RULES = {
    WIDE: {"target-size": {"enabled": True}},
    NARROW: {"target-size": {"enabled": True}, "color-contrast": {"enabled": False}},
}
# A link inside a sentence may be as low as its line; whatever else can be pressed stands alone. A tick box is as large
# as the label round it. What the keyboard does not reach is no target: it stands for Enter in a text field.
SMALL_TARGETS = """smallest => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter(it => it.tabIndex >= 0 && it.type !== "hidden" && !it.matches(".govuk-skip-link"))
  .filter(it => it.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true}))
  .filter(it => ![...it.parentElement.childNodes].some(beside => beside.nodeType === 3 && beside.data.trim())
                || it.matches("input, button, select"))
  .map(it => [it, (it.matches("[type=checkbox], [type=radio]") ? it.closest("label") : it).getBoundingClientRect()])
  .filter(([_, box]) => Math.min(box.width, box.height) < smallest - 0.5)
  .map(([it, box]) => `${it.tagName} “${it.innerText || it.name}” of ${box.width} × ${box.height} px`)"""
BROKEN_ANCHORS = """() => [...document.querySelectorAll('a[href^="#"]')].map(it => it.getAttribute("href"))
  .filter(href => !document.getElementById(href.slice(1)))"""
DOUBLE_IDS = """() => [...document.querySelectorAll("[id]")].map(it => it.id)
  .filter((id, place, all) => all.indexOf(id) !== place)"""
axe = Axe()


def watch(page: Page, problems: list[str]) -> None:
    """Note what goes wrong on a page from now on: scripts, files, and what the Content-Security-Policy stops."""

    def note_console(message: ConsoleMessage) -> None:
        # The browser also notes that a page itself was answered with 404 or 422: that is meant.
        own_answer = message.text.startswith("Failed to load resource") and message.location["url"] == page.url
        if message.type in {"error", "warning"} and not own_answer:
            problems.append(f"{page.url}: {message.text}")

    def note_answer(answer: Response) -> None:
        if answer.status >= 400 and answer.request.resource_type != "document":
            problems.append(f"{answer.url}: {answer.status}")

    page.on("console", note_console)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    page.on("response", note_answer)


@contextmanager
def documents(page: Page) -> Iterator[list[Response]]:
    """Collect the answers that a page is made of meanwhile, but not those of its files."""
    answers: list[Response] = []

    def note(answer: Response) -> None:
        if answer.request.is_navigation_request():
            answers.append(answer)

    page.on("response", note)
    try:
        yield answers
    finally:
        page.remove_listener("response", note)


def problems_of(page: Page, name: str) -> list[str]:
    """Return what is wrong with the page as it stands, on a wide screen and on a narrow one."""
    found = _problems_of_any_width(page)
    page.evaluate(axe.axe_script)
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        _keep_picture(page, f"{name}-{width}")
        found += [f"{width} px: {problem}" for problem in _problems_of_width(page, width)]
    return found


def _problems_of_any_width(page: Page) -> list[str]:
    found = [f"{page.locator('h1').count()} main headings"] if page.locator("h1").count() != 1 else []
    if page.locator("html").get_attribute("lang") != "en-GB":
        found.append("its language is not said")
    found += [f"nothing has the id of the link {href}" for href in page.evaluate(BROKEN_ANCHORS)]
    return found + [f"the id {one} stands twice" for one in page.evaluate(DOUBLE_IDS)]


def _problems_of_width(page: Page, width: int) -> list[str]:
    found = [f"axe: {_in_short(violation)}" for violation in _axe(page, width)]
    wide = page.evaluate("document.scrollingElement.scrollWidth")
    if wide > width:
        found.append(f"it is {wide} px wide")
    return found + [f"too small: {target}" for target in page.evaluate(SMALL_TARGETS, SMALLEST_TARGET)]


def _axe(page: Page, width: int) -> list[dict[str, Any]]:
    options = {**AXE_OPTIONS, "rules": AXE_RULES[width]}
    violations: list[dict[str, Any]] = page.evaluate("options => axe.run(options).then(it => it.violations)", options)
    return violations


def _in_short(violation: dict[str, Any]) -> str:
    where = ", ".join(str(node["target"][0]) for node in violation["nodes"][:4])
    return f"{violation['id']} ({violation['help']}) at {where}"


def _keep_picture(page: Page, name: str) -> None:
    """Save a picture of the whole page where SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


Visit = Callable[..., Page]
