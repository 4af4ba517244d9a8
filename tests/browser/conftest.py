"""A headless Chromium, and the demo's portal on a small stage."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webdriver import WebDriver

from config import database
from jobs import progress
from jobs.demo import play
from jobs.demo.portal.app import Portal, create
from jobs.demo.portal.hints import following
from jobs.demo.stage import ZONE, set_up
from jobs.sandbox.clock import WallClock
from jobs.sandbox.population import Population
from jobs.sandbox.server import StandIn
from readapi.app import create_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
CUSTOMERS = 24
Browse = Callable[..., WebDriver]


@dataclass(frozen=True)
class Served:
    """The portal's address, and the portal itself."""

    url: str
    portal: Portal


@pytest.fixture
def browse() -> Iterator[Browse]:
    """Opens a browser of a width and colour scheme; all are closed at the end."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs chromium and chromedriver (Debian: chromium, chromium-driver)")
    with ExitStack() as opened:

        def browser(width: int = 1180, height: int = 860, scheme: str = "light") -> WebDriver:
            options = webdriver.ChromeOptions()
            options.binary_location = str(CHROMIUM)
            for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
                options.add_argument(argument)
            options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
            driver = webdriver.Chrome(options=options, service=Service(DRIVER))
            opened.callback(driver.quit)
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            return driver

        yield browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo's portal and the read API behind it, on a day of the script."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs chromium and chromedriver")
    zone = ZoneInfo(ZONE)
    start = datetime.now(UTC).astimezone(zone).date() - timedelta(days=1)
    home = tmp_path_factory.mktemp("demo")
    with set_up(home, Population(CUSTOMERS, 1, start, zone), 1) as stage, ExitStack() as stack:
        played = play.Play()
        play.play_day(stage, played, start, progress.silent(), is_last=True)
        play.catch_up(stage, played, progress.silent())
        settings = stage.program.settings
        origins: dict[str, str] = {}
        url = database.database_url(settings)

        def api(environ, start_response):  # type: ignore[no-untyped-def]
            return origins["app"](environ, start_response)  # type: ignore[operator]

        answered = stack.enter_context(StandIn(api, WallClock()))
        portal = Portal(stage, answered.url)
        shown = stack.enter_context(StandIn(create(portal), WallClock()))
        known = settings.model_copy(update={"database_url": url, "me_status_cors_origins": shown.url})
        origins["app"] = create_app(known)  # type: ignore[assignment]
        with following(portal):
            yield Served(shown.url, portal)
