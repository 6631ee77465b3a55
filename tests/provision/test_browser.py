"""Chromium on the real page, with a real virtual tag: the whole way, as a scanner and a keyboard go it."""

import asyncio
import shutil
import threading

import pytest
from groundnet.provision.counter import Event, News, State
from groundnet.provision.label import Label, encode
from groundnet.provision.paper.receipt import Terms
from groundnet.provision.refusal import REASONS
from groundnet.provision.subject import Draft
from groundnet.provision.web.app import Options, Page
from groundnet.provision.web.shift import Shift
from groundnet.provision.web.wording import FACES
from groundnet.web.server import listen, server_of

from provision.scanner_keys import Scanner
from provision.test_counter_desk import TagWithDeadBattery, bind
from provision.test_page import put

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this computer")

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
TABLET = {"width": 1024, "height": 768}
# Counts the tones instead of playing them: a test machine has no ears.
SILENT_AUDIO = """
window.tones = [];
const node = () => ({connect: (to) => to, start() {}, stop() {}, frequency: {set value(hertz) { tones.push(hertz); }},
  gain: {setValueAtTime() {}, exponentialRampToValueAtTime() {}}});
window.AudioContext = class {
  currentTime = 0; resume() {} createOscillator() { return node(); } createGain() { return node(); }
};
"""


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def url(counter):
    """The page, served on the loopback by a thread of this process."""
    page = Page(counter.desk, Shift(counter.desk, "李华"), Options(Terms("城关镇", "110")))
    bound = listen("127.0.0.1", 0)
    server = server_of(page.app)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])), daemon=True)
    thread.start()  # who asks before it is ready waits in the socket's queue
    yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
    server.should_exit = True
    thread.join()


class Staff:
    """Somebody at the counter: a keyboard, a scanner and two eyes."""

    def __init__(self, chromium, url, counter, language="zh", **keyboard):
        context = chromium.new_context(viewport=TABLET)
        context.add_cookies([{"name": "language", "value": language, "url": url}])
        context.add_init_script(SILENT_AUDIO)
        self.page, self.counter, self.language = context.new_page(), counter, language
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self._note(request.url, url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.goto(url)
        self._scanner = Scanner(self.page, **keyboard)

    def _note(self, asked, url):
        if not asked.startswith(url):
            self.foreign.append(asked)

    def scan(self, text, **how):
        self._scanner.scan(text, **how)

    def sees(self, state):
        """The screen shows this state, in words of the language."""
        self.page.wait_for_selector(f'.screen[data-state="{state}"]', timeout=20_000)
        word = FACES[state].word
        assert self.page.inner_text(".word") == (word.zh if self.language == "zh" else word)

    def is_told(self, reason):
        self.page.wait_for_selector(f'.notice[data-reason="{reason}"]', timeout=10_000)

    def press(self, key):
        """A key, once the new screen is old enough to be answered."""
        self.page.wait_for_selector(".screen[data-settled]")
        self.page.keyboard.press(key)

    def value(self, name):
        return self.page.input_value(f"[name={name}]")


@pytest.fixture
def staff(chromium, url, counter):
    made = []

    def hire(language="zh", **keyboard):
        one = Staff(chromium, url, counter, language, **keyboard)
        made.append(one)
        return one

    yield hire
    for one in made:
        assert one.foreign == [] and one.errors == []
        one.page.context.close()


def test_the_whole_way_in_chinese_with_a_cable_that_is_pulled(staff, counter, virtual_tag):
    one, tag = staff(), virtual_tag("0200000000c1")
    one.sees(State.WAITING)
    counter.plug(tag)
    one.sees(State.FOUND)
    one.scan("https://example.com/x y")
    one.is_told("foreign_code")
    one.scan(encode(Label(bytes(8))))
    one.is_told("other_card")
    one.scan(encode(Label(tag.device_id)))
    one.sees(State.CARDED)
    one.page.focus("[name=phone]")
    one.page.keyboard.insert_text("13800000000")
    one.scan("云A·12345")  # a province is a key of its own for a scanner, not for a keyboard
    one.page.wait_for_selector('[name=subject][value="A12345"]')
    assert one.value("phone") == "13800000000"  # the field that had the focus has what it had
    one.press("Enter")
    one.sees(State.VERIFIED)
    one.page.wait_for_selector(".screen[data-settled]")
    for line in ("BEGIN:VCARD", "N:LI", "TEL 1", "A B"):  # the button that hands over has the focus
        one.scan(line)
    counter.settled()
    assert counter.desk.look().state is State.VERIFIED
    counter.unplug()
    one.sees(State.CUT_WRITING)
    counter.plug(tag)
    one.sees(State.VERIFIED)
    one.press("Enter")
    one.sees(State.DONE)
    with one.page.context.expect_page() as opened:
        one.press("2")
    assert opened.value.url.endswith("/paper/card")
    counter.unplug()
    one.sees(State.WAITING)
    (record,) = counter.settled(lambda registry: list(registry.devices()))
    assert (record.plate, record.owner_phone) == ("云A12345", "+8613800000000")
    assert (
        one.page.evaluate("tones.filter((hertz) => hertz < 300).length") >= 6
    )  # three failures, two tones each
    assert one.page.evaluate("tones.filter((hertz) => hertz > 600).length") >= 6


def test_the_whole_way_in_english_without_a_mouse_undone_and_done_again(staff, counter, virtual_tag):
    one = staff()
    one.page.focus("[name=language]")
    one.page.keyboard.press("Enter")  # a form as the browser itself sends it
    one.language = "en"
    one.sees(State.WAITING)
    one, tag = (
        staff("en", caps_lock=True),
        virtual_tag("0200000000c2", "--role", "tag", "--board", "wsl3_wearable"),
    )
    counter.plug(tag)
    one.sees(State.FOUND)
    one.scan(encode(Label(tag.device_id)), composing=True)  # a Chinese input method is on, and has every key
    one.sees(State.CARDED)
    one.press("F4")
    one.page.wait_for_selector("[name=profile][value=sentry][checked]", state="attached")
    one.page.keyboard.insert_text("Shop 12")
    one.press("Enter")
    one.is_told("unfit")  # no infrared sensor on a wrist
    one.press("F3")
    one.page.wait_for_selector("[name=consent]")
    one.page.keyboard.insert_text("王小明")
    one.press("Enter")
    one.is_told("no_consent")
    one.page.keyboard.press("Tab")
    one.page.keyboard.press("Space")
    one.press("Enter")
    one.sees(State.VERIFIED)
    one.press("Escape")
    one.sees(State.UNDONE)
    one.press("Enter")
    one.sees(State.FOUND)
    one.scan(encode(Label(tag.device_id)), full_width=True, enter=False)
    one.sees(State.CARDED)
    one.press("Enter")
    one.sees(State.VERIFIED)
    one.press("Enter")
    one.sees(State.DONE)
    (record,) = counter.settled(lambda registry: list(registry.devices()))
    assert (record.plate, record.profile) == ("王小明", "wearable")


BAD_CODES = (
    ("LW:D0:67726F756E640001:0000020000000001:FFFF0001:C0000", "label_damaged"),
    ("https://qr.example.com/?t=1", "foreign_code"),
    (
        "LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122:OAABBCCDDEEFF:SYYWWNNNNNN:PFOOBAR:CAF2C",
        "other_maker",
    ),
    ("GN-00013", "mistyped"),
    ("156000012345678", "wrong_profile"),  # an ear tag, while a vehicle is chosen
    ("6901234567892", "nothing_read"),
    (encode(Label(bytes(8))), "other_card"),
    ("GN-00024", "unknown_number"),
)

SCANNED = ({"composing": True}, {"full_width": True}, {})  # an input method is on, types wide forms, is off


def both_say(pages, reason):
    """The sentence and what to do, each page in its own language."""
    words = REASONS[reason]
    for one in pages:
        one.is_told(reason)
        said = one.page.inner_text(".notice")
        for text in (words.cause, words.action):
            assert (text.zh if one.language == "zh" else str(text)).lower() in said.lower()


def test_each_bad_code_has_its_sentence_in_both_languages_and_nothing_is_written(staff, counter, virtual_tag):
    pages = staff("zh"), staff("en", caps_lock=True)
    counter.plug(virtual_tag("0200000000c3"))
    for one in pages:
        one.sees(State.FOUND)
    for number, (text, reason) in enumerate(BAD_CODES):
        pages[number % 2].scan(text, **SCANNED[number % 3])
        both_say(pages, reason)
    assert counter.desk.look().state is State.FOUND
    assert counter.settled(lambda registry: list(registry.devices())) == []


def test_each_tag_that_cannot_be_taken_has_its_sentence_and_stays_as_it_is(staff, counter, virtual_tag):
    pages = staff("zh"), staff("en")
    empty = TagWithDeadBattery(2.9)
    try:
        counter.plug(empty)
        both_say(pages, "battery_dead")
        assert counter.settled(lambda registry: list(registry.devices())) == []
    finally:
        counter.unplug()
        counter.until(State.WAITING)
        empty.stop()
    tag = virtual_tag("0200000000c4")
    counter.plug(tag)
    bind(counter, tag)
    counter.unplug()
    for page in pages:
        page.sees(State.WAITING)
    counter.plug(tag)
    both_say(pages, "already_bound")
    counter.unplug()
    counter.until(State.WAITING)
    counter.settled(lambda registry: registry.database.execute("DELETE FROM devices"))
    counter.plug(tag)
    both_say(pages, "other_point")
    assert counter.settled(lambda registry: list(registry.devices())) == []


SIZES = ((1024, 768), (768, 1024), (390, 844))  # a tablet, the same upright, a phone
# What stands out of the window, or is cut off in a part that does not show all that is in it.
CUT_OFF = """() => [...document.querySelectorAll("body *")].filter((part) => {
  const box = part.getBoundingClientRect(), hides = getComputedStyle(part).overflowY !== "visible";
  if (!box.width || part.closest(".unseen, svg")) return false;
  return box.right > innerWidth + 1 || box.left < -1 || (hides && part.scrollHeight > part.clientHeight + 2);
}).map((part) => `${part.tagName}.${part.className}`)"""
WORST = Draft("wearable", "Wang Xiaoming 12", "", "+8613800000000", "guardian")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_cut_off_whatever_is_shown_on_whatever_screen(staff, counter, language):
    one = staff(language)
    longest = max(REASONS.values(), key=lambda reason: len(reason.cause + reason.action))
    for width, height in SIZES:
        one.page.set_viewport_size({"width": width, "height": height})
        for state in (State.FOUND, State.CARDED, State.VERIFIED, State.DONE, State.FAILED_WRITING):
            put(
                counter, state, WORST, News(Event.NOTICE, reason=longest, support="45-7K2F", detail="2900 mV")
            )
            one.page.reload()
            one.sees(state)
            assert one.page.evaluate(CUT_OFF) == [], (width, state)
