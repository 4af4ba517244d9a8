"""The demo's portal, clicked through: what a customer does arrives, in both languages, on a phone and in the dark."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browser.conftest import Browse, Served

AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 60
"""Seconds a wait may take on a busy machine; nothing here depends on how long it takes."""

SEEN = """
    return [...document.querySelectorAll(arguments[0])]
        .filter(one => one.checkVisibility()).map(one => one.innerText).join(" ")
"""


def opened(browse: Browse, served: Served, **given: object) -> WebDriver:
    driver = browse(**given)
    driver.get(served.url)
    until(driver, lambda: text(driver, "#freshness") != "")
    return driver


def until(driver: WebDriver, holds) -> None:  # type: ignore[no-untyped-def]
    """Waits until it holds; a page that is just replaced by another answers again a moment later."""
    WebDriverWait(driver, PATIENCE, 0.1, ignored_exceptions=(WebDriverException,)).until(lambda _: holds())


def text(driver: WebDriver, selector: str) -> str:
    """The text that is seen, read in one step: a page may put other elements in the place of those just found."""
    seen: str = driver.execute_script(SEEN, selector)
    return seen


def click(driver: WebDriver, selector: str) -> None:
    def clicked() -> bool:
        found = driver.find_element(By.CSS_SELECTOR, selector)
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
        found.click()
        return True

    until(driver, clicked)


def pick(driver: WebDriver, holds) -> None:  # type: ignore[no-untyped-def]
    """Picks the first customer of whom this holds."""
    chosen = Select(driver.find_element(By.ID, "customer"))
    for number in range(len(chosen.options)):
        name = chosen.options[number].text
        chosen.select_by_index(number)
        until(driver, lambda name=name: name in text(driver, "#hello") and text(driver, "#freshness") != "")
        if holds():
            return
    pytest.fail("no customer of the stage is like that")


def enabled(driver: WebDriver, button: str) -> bool:
    return driver.find_element(By.ID, button).is_enabled()


def no_complaints(driver: WebDriver) -> None:
    """Nothing refused by the policy, and no script that failed; an answer of 429 is no complaint."""
    severe = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert [] == [entry["message"] for entry in severe if entry["source"] != "network"]


def test_paying_takes_the_invoice_off_the_page(browse, served):
    """The button pays in WHMCS; the page asks to be read again, and shows the change when it is there."""
    driver = opened(browse, served)
    pick(driver, lambda: enabled(driver, "pay"))
    before = text(driver, "#invoice")
    click(driver, "#pay")
    until(driver, lambda: "Arrived after" in text(driver, "#said"))
    assert before != text(driver, "#invoice")
    assert "paid" in text(driver, "#activity")
    no_complaints(driver)


def test_a_card_ends_the_task_to_add_one(browse, served):
    """From no payment method to one."""
    driver = opened(browse, served)
    pick(driver, lambda: "Add a payment method" in text(driver, "#tasks") and enabled(driver, "card"))
    click(driver, "#card")
    until(driver, lambda: "Add a payment method" not in text(driver, "#tasks"))
    no_complaints(driver)


def test_a_residence_card_is_submitted_and_verified_overnight(browse, served):
    """Submitted is being reviewed; when a day has passed it is verified, and the bell says so."""
    driver = opened(browse, served)
    pick(driver, lambda: enabled(driver, "residence"))
    click(driver, "#residence")
    until(driver, lambda: "Being reviewed" in text(driver, "#facts"))
    click(driver, "#day")
    until(driver, lambda: "A day has passed." in text(driver, "#said"))
    until(driver, lambda: "Verified" in text(driver, "#facts"))
    click(driver, "#bell-button")
    until(driver, lambda: "ID verification complete" in text(driver, "#notifications"))
    no_complaints(driver)


def test_the_bell_counts_marks_and_dismisses(browse, served):
    """Mark read takes one off the count, dismiss takes it off the list, Mark all read empties the count."""
    driver = opened(browse, served)
    pick(driver, lambda: text(driver, "#bell-count").isdecimal() and int(text(driver, "#bell-count")) > 1)
    click(driver, "#bell-button")
    unread = int(text(driver, "#bell-count"))
    click(driver, "#notifications .unread .do button")
    until(driver, lambda: text(driver, "#bell-count") == str(unread - 1))
    shown = len(driver.find_elements(By.CSS_SELECTOR, "#notifications li"))
    click(driver, "#notifications .unread .do button:last-child")
    until(driver, lambda: len(driver.find_elements(By.CSS_SELECTOR, "#notifications li")) == shown - 1)
    if text(driver, "#bell-count"):
        click(driver, "#read-all")
        until(driver, lambda: text(driver, "#bell-count") == "")
    no_complaints(driver)


def test_a_customer_changes_language_and_gets_another_document(browse, served):
    """The frame at once; tasks with the next refresh, as the account's new language says."""
    driver = opened(browse, served)
    pick(driver, lambda: text(driver, "#tasks h3") != "")
    click(driver, '[data-language="ja"]')
    assert "様" in text(driver, "#hello")
    until(driver, lambda: re.search(r"[ぁ-ん]", text(driver, "#tasks h3")))
    assert driver.execute_script("return document.documentElement.lang") == "ja"
    click(driver, '[data-language="en"]')
    until(driver, lambda: not re.search(r"[ぁ-ん]", text(driver, "#tasks h3")))
    no_complaints(driver)


@pytest.mark.parametrize(("width", "scheme"), [(1180, "light"), (1180, "dark"), (390, "light"), (390, "dark")])
def test_everybody_can_use_it(browse, served, width, scheme):
    """Nothing runs over the edge, and axe-core finds nothing serious, the bell open or shut."""
    driver = opened(browse, served, width=width, height=844, scheme=scheme)
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    if not AXE.exists():
        pytest.skip("needs what .ci/run installs by npm")
    for _ in range(2):
        driver.execute_script(AXE.read_text())
        found = driver.execute_async_script("axe.run().then(arguments[0])")
        assert [] == [
            (one["id"], [node["html"] for node in one["nodes"]])
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        click(driver, "#bell-button")


def test_the_portal_answers_this_machine_alone(served):
    """Another host's name, another site's page and unknown customers are refused; the policy allows nothing else."""
    known = next(iter(served.portal.customers))
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        assert 403 == client.get("/", headers={"Host": "evil.example:8080"}).status_code
        cross = {"Sec-Fetch-Site": "cross-site"}
        assert 403 == client.post("/demo/session", json={"customer": known}, headers=cross).status_code
        assert 415 == client.post("/demo/session", data={"customer": known}).status_code
        assert 404 == client.post("/demo/session", json={"customer": "001000000000001AAA"}).status_code
        assert 404 == client.get("/app.py").status_code
        policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
