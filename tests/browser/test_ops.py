"""The operator's pages in a browser: seen on a desk and on a phone, in light and dark, and every button pressed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

import sql
from config import database
from jobs import progress
from jobs.commands import decisions
from jobs.demo import play
from jobs.demo import stage as demo
from jobs.sandbox.clock import WallClock
from jobs.sandbox.population import Population
from jobs.sandbox.server import StandIn
from readapi.app import create_app
from tests.browser.conftest import Browse
from tests.browser.test_portal import AXE, text, until

ACTS = "acts-" + "a" * 40
HOLD = """
    with run as (
        insert into job_run (job, started_at, finished_at, outcome)
        values ('refresh', now(), now(), 'held')
        returning run_id
    )
    insert into pipeline.held_run (run_id, gate, held_at, summary)
    select run_id, 'flood', now(), '{"types": {"INVOICE_DUE": {"notifications": 900, "limit": 500}}}' from run
    returning run_id
"""


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, demo.Stage]]:
    """The page's origin, and the stage whose day it tells of."""
    zone = ZoneInfo(demo.ZONE)
    start = datetime.now(UTC).astimezone(zone).date() - timedelta(days=1)
    home = tmp_path_factory.mktemp("ops")
    with demo.set_up(home, Population(24, 1, start, zone), 1) as stage, ExitStack() as stack:
        play.play_day(stage, play.Play(), start, progress.silent(), is_last=True)
        settings = stage.program.settings
        known = {"database_url": database.database_url(settings), "me_status_ops_act_token": SecretStr(ACTS)}
        app = create_app(settings.model_copy(update=known))
        yield stack.enter_context(StandIn(app, WallClock())).url, stage


def opened(browse: Browse, origin: str, **given: object) -> WebDriver:
    """A browser that gives Ann's secret as HTTP Basic, and notes whom it asks."""
    driver = browse(**given)
    driver.execute_cdp_cmd("Network.enable", {})
    secret = base64.b64encode(f"ann:{ACTS}".encode()).decode()
    driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Authorization": f"Basic {secret}"}})
    driver.get(origin + "/ops")
    return driver


def press(driver: WebDriver, action: str, subject: str, reason: str) -> None:
    """Types the reason and presses the button of a job or a held run."""
    form = driver.find_element(
        By.XPATH,
        f"//form[input[@name='action' and @value='{action}'] and input[@type='hidden' and @value='{subject}']]",
    )
    form.find_element(By.NAME, "reason").send_keys(reason)
    button = form.find_element(By.TAG_NAME, "button")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    until(driver, lambda: reason in text(driver, "#decisions"))


@pytest.mark.parametrize(("width", "scheme"), [(1180, "light"), (1180, "dark"), (390, "light"), (390, "dark")])
def test_every_page_can_be_read(browse, operated, width, scheme):
    """Nothing over the edge, no complaint, nobody else asked, and axe-core finds nothing serious."""
    origin, stage = operated
    customer = stage_customer(stage)
    driver = opened(browse, origin, width=width, height=844, scheme=scheme)
    assert "verdict" == driver.find_element(By.TAG_NAME, "section").get_attribute("id")
    assert "succeeded" in text(driver, "td.succeeded")
    ground = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert {"light": "rgb(246, 247, 249)", "dark": "rgb(18, 22, 29)"}[scheme] == ground
    for path in ("/ops", "/ops/runs/1", f"/ops/customers?id={customer}"):
        driver.get(origin + path)
        assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth"), path
        asked = driver.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
        assert [] == [address for address in asked if not address.startswith(origin + "/")]
        if AXE.exists():
            assert [] == serious(driver), path
    assert [] == [entry["message"] for entry in driver.get_log("browser") if "favicon" not in entry["message"]]


def stage_customer(stage: demo.Stage) -> str:
    with stage.engine.connect() as connection:
        return str(connection.execute(sql.statement("demo/find_busiest_customer")).scalar_one())


def serious(driver: WebDriver) -> list[str]:
    driver.execute_script(AXE.read_text())
    found = driver.execute_async_script("axe.run().then(arguments[0])")
    return [
        json.dumps([one["id"], one["nodes"][0]["html"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def test_every_button_is_written_down_and_carried_out(browse, operated):
    """With who and why; whoever runs jobs does it, and the record says what came of it."""
    origin, stage = operated
    with stage.engine.begin() as connection:
        released, discarded = (str(connection.exec_driver_sql(HOLD).scalar_one()) for _ in range(2))
    driver = opened(browse, origin)
    press(driver, "release", released, "asked the team")
    press(driver, "discard", discarded, "sent in error")
    press(driver, "pause", "prune", "disk is slow")
    decisions.carry_out(stage.engine, stage.program)
    driver.get(origin + "/ops")
    assert "disk is slow" in text(driver, ".warn")
    press(driver, "resume", "prune", "disk is well")
    press(driver, "run", "prune", "room is needed")
    decisions.carry_out(stage.engine, stage.program)
    with stage.engine.connect() as connection:
        kept = connection.exec_driver_sql(
            "select action, coalesce(job, cast(run_id as text)), reason, actor, origin, outcome"
            " from pipeline.operator_action join pipeline.operator_action_end using (action_id) order by action_id"
        ).all()
        decided = connection.exec_driver_sql(
            f"select decision from pipeline.held_run where run_id in ({released}, {discarded}) order by run_id"
        ).all()
    assert [("released",), ("discarded",)] == [tuple(row) for row in decided]
    assert [
        ("release", released, "asked the team", "ann", "page", "done"),
        ("discard", discarded, "sent in error", "ann", "page", "done"),
        ("pause", "prune", "disk is slow", "ann", "page", "done"),
        ("resume", "prune", "disk is well", "ann", "page", "done"),
        ("run", "prune", "room is needed", "ann", "page", "done"),
    ] == [tuple(row) for row in kept if row[4] == "page"]
