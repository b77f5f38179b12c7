"""A browser, and the two installations it looks at. Each is started once for all tests of this folder."""

from collections.abc import Iterator

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


@pytest.fixture(scope="package")
def readers(browser: Browser) -> dict[tuple[str, str], BrowserContext]:
    """Visitors of an address who only look, and so may be the same from test to test: their browser has its files."""
    return {}


@pytest.fixture
def visit(browser: Browser, readers: dict[tuple[str, str], BrowserContext]) -> Iterator[Visit]:
    """Open a page, for a visitor of its own unless they only look. Fails where the browser complained of anything."""
    problems: list[str] = []
    opened: list[BrowserContext | Page] = []

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

    def visit(site: Site, who: str = "", *, width: int = WIDE, scripts: bool = True, only_looks: bool = False) -> Page:
        key = (site.address, who)
        if only_looks and key not in readers:
            readers[key] = enter(site, who, WIDE, scripts=True)
        context = readers[key] if only_looks else enter(site, who, width, scripts)
        page = context.new_page()
        opened.append(page if only_looks else context)
        watch(page, problems)
        return page

    yield visit
    for one in opened:
        one.close()
    assert problems == []
