"""Chromium on the operators' page: both languages, a desk and a phone, what comes in while it is open."""

import asyncio
import shutil
import threading

import pytest
from groundnet.collector.casework.cases import close_cases
from groundnet.watch.app import Page
from groundnet.web.server import listen, server_of

from watch.conftest import NAME, PIN, TAG, TRACKER

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this computer")

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE_MS = 20_000
POLL_MS = 5_000  # a little more than between two questions of the page


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def url(county, desk):
    bound = listen("127.0.0.1", 0)
    server = server_of(Page(desk()).app)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])))
    thread.start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@pytest.fixture
def visit(chromium, url):
    """A page at a size; nothing foreign may be asked for and no script may fail."""
    contexts, wrong = [], []

    def open_page(size, path=""):
        context = chromium.new_context(viewport=size, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.clock.install()
        page.on("request", lambda request: request.url.startswith(url) or wrong.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.set_default_timeout(PATIENCE_MS)
        page.goto(url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def no_sideways(page):
    """Nothing is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_from_the_list_to_the_track_in_both_languages(county, visit, size):
    county.steal()
    page = visit(size)
    assert page.inner_text("h2").startswith("在办案件")
    page.click("text=English")
    assert page.inner_text("h2").startswith("Open cases")
    assert no_sideways(page)
    page.click("text=云A12345 >> nth=0")
    page.wait_for_selector("#until")
    assert no_sideways(page)
    shown = page.locator("circle.fix:not(.later)")
    assert shown.count() == 6
    page.focus("#until")
    page.keyboard.press("Home")
    assert shown.count() == 1 and page.locator(".last.later").count() == 1
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    assert shown.count() == 2, "a minute on"
    page.keyboard.press("End")
    assert shown.count() == 6
    with page.expect_download() as found:
        page.click("text=GPX")
    assert found.value.suggested_filename.endswith(".gpx")
    page.click("text=中文")
    assert page.inner_text(".do summary") == "结案"


def test_what_comes_in_is_seen_without_a_reload_and_a_closed_case_goes_away(county, visit):
    number = county.steal()
    page = visit(DESK, f"case/{number}")
    page.focus("#until")
    page.keyboard.press("Home")
    county.hear(TAG, 7, 25.11, 103.80)
    page.clock.fast_forward(POLL_MS)
    page.wait_for_selector("circle.fix >> nth=6", state="attached")
    assert page.locator("circle.fix:not(.later)").count() == 1, "the slider stays where it was put"
    assert page.evaluate("document.activeElement.id") == "until"
    close_cases(county.database, [TAG, TRACKER], "found", county.now_ms)
    page.clock.fast_forward(POLL_MS)
    page.wait_for_selector("text=没有在办案件")


def test_news_leave_focus_and_scrolling_where_they_are(county, visit):
    for number in range(40):
        county.database.run(
            "INSERT INTO stations (station_id, boot_count, seen_ms) VALUES (?, 1, ?)",
            number.to_bytes(8, "big"),
            county.now_ms,
        )
    number = county.steal()
    page = visit(DESK)
    page.focus(f".cases [href='/case/{number}']")
    page.evaluate("document.querySelector('.scroll').scrollTo(0, 300)")
    county.now_ms += 5 * 60_000
    page.clock.fast_forward(POLL_MS)
    page.wait_for_selector(".fresh >> text=5 分钟前")
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"/case/{number}"
    assert page.evaluate("document.querySelector('.scroll').scrollTop") == 300


def test_while_the_program_does_not_answer_the_page_says_of_when_it_is(county, chromium, url):
    number = county.steal()
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.clock.install()
    page.goto(f"{url}case/{number}")
    context.set_offline(True)
    page.clock.fast_forward(POLL_MS)
    page.wait_for_selector("#offline:not([hidden])")
    assert page.locator("#offline time").inner_text()
    context.set_offline(False)
    page.clock.fast_forward(POLL_MS)
    page.wait_for_selector("#offline", state="hidden")
    assert page.locator("circle.fix").count() == 6
    context.close()


def test_a_case_is_opened_and_closed_with_the_keyboard_alone(county, visit):
    page = visit(DESK)
    page.focus("summary")
    page.keyboard.press("Enter")
    for text in ("云A12345", "2026-7", "李华", "夜间被盗"):
        page.keyboard.press("Tab")
        page.keyboard.insert_text(text)
    page.keyboard.press("Enter")
    page.wait_for_selector("#until")
    page.focus("summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.insert_text("found")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=没有在办案件")
    outcomes = {row["outcome"] for row in county.database.rows("SELECT outcome FROM cases")}
    assert outcomes == {"found"}


def test_without_a_script_everything_is_still_there(county, chromium, url):
    number = county.steal()
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{url}case/{number}")
    assert page.locator("circle.fix").count() == 6
    page.click("summary")
    page.fill("[name=outcome]", "found")
    page.click(".main")
    assert page.inner_text(".cases .soft") == "没有在办案件"
    context.close()


@pytest.fixture
def staffed(county):
    county.hire()


def test_a_person_signs_in_on_a_phone_and_out_again(staffed, county, visit):
    county.steal()
    page = visit(PHONE)
    assert page.locator("text=云A12345").count() == 0
    page.fill("[name=name]", NAME)
    page.fill("[name=pin]", PIN)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=云A12345")
    assert no_sideways(page)
    page.click("text=退出")
    page.wait_for_selector("[name=pin]")
