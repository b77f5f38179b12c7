"""A browser, and the two installations it looks at. Each is started once for all tests of this folder in a process.

There are two groups of tests, `browser-pages` and `browser-forms`: each is about a quarter of the whole suite, so that
two processes may do one each, and neither waits for the other at the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import site as sites
from tests.browser.look import HEIGHT, WIDE, Visit, watch
from tests.browser.site import Site


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, as one of this machine's users has it."""
    path = sites.find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(sites.BROWSER_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration, served."""
    with sites.demonstration(tmp_path_factory.mktemp("demonstration")) as site:
        yield site


@pytest.fixture(scope="package")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation in which nothing has happened yet, served."""
    with sites.empty_installation(tmp_path_factory.mktemp("empty")) as site:
        yield site


@dataclass(frozen=True, slots=True)
class Reader:
    """The tab of somebody who only looks, and what the browser complained of in it."""

    page: Page
    problems: list[str]


@pytest.fixture(scope="package")
def readers(browser: Browser) -> dict[tuple[str, str], Reader]:
    """Visitors of an address who only look, and so may be the same from test to test: their tab has its files."""
    return {}


@pytest.fixture
def visit(browser: Browser, readers: dict[tuple[str, str], Reader]) -> Iterator[Visit]:
    """Open a page, for a visitor of its own unless they only look. Fails where the browser complained of anything.

    The tab of those who only look is left at an empty page, so that what a page does late is not put down to the next.
    """
    problems: list[str] = []
    opened: list[BrowserContext] = []
    lent: list[Reader] = []

    def enter(site: Site, who: str, width: int, scripts: bool) -> BrowserContext:
        context = browser.new_context(
            base_url=site.address,
            viewport={"width": width, "height": HEIGHT},
            java_script_enabled=scripts,
            reduced_motion="reduce",  # else a page still glides while the test looks where it stands
        )
        context.set_default_timeout(10_000)
        if who:
            context.add_cookies([{"name": "session", "value": site.sessions[who], "url": site.address}])
        return context

    def look(site: Site, who: str) -> Page:
        if (site.address, who) not in readers:
            reader = Reader(enter(site, who, WIDE, scripts=True).new_page(), [])
            watch(reader.page, reader.problems)
            readers[site.address, who] = reader
        reader = readers[site.address, who]
        lent.append(reader)
        reader.page.set_viewport_size({"width": WIDE, "height": HEIGHT})
        return reader.page

    def visit(site: Site, who: str = "", *, width: int = WIDE, scripts: bool = True, only_looks: bool = False) -> Page:
        if only_looks:
            return look(site, who)
        context = enter(site, who, width, scripts)
        opened.append(context)
        page = context.new_page()
        watch(page, problems)
        return page

    yield visit
    for context in opened:
        context.close()
    for reader in lent:
        reader.page.goto("about:blank")
        problems += reader.problems
        reader.problems.clear()
    assert problems == []
