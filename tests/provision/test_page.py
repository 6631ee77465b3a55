"""The counter's page as a browser or an attacker asks for it."""

import asyncio
import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from asgi_browser import Browser
from groundnet.provision.audit import Audit
from groundnet.provision.counter import Counter, News, State, Tag
from groundnet.provision.counter import Event as Happening
from groundnet.provision.label import Label, encode
from groundnet.provision.paper.receipt import Terms
from groundnet.provision.people import IDLE_MS, MOST_WRONG, People
from groundnet.provision.refusal import REASONS
from groundnet.provision.registry import Record, Secret
from groundnet.provision.subject import Draft
from groundnet.provision.tag_id import make
from groundnet.provision.vault import Cost, Vault
from groundnet.provision.web.app import COOKIE, Options, Page
from groundnet.provision.web.shift import Shift
from groundnet.provision.web.wording import FACES
from groundnet.web.door import host_name

DEVICE_ID = bytes.fromhex("0000020000000001")
TAG = Tag(
    DEVICE_ID,
    "tag",
    "xiao_c3_sx1262",
    "0.1.0",
    ("accelerometer", "button"),
    battery_mv=3650,
    parts=("radio",),
)


@pytest.fixture
def page(counter):
    shift = Shift(counter.desk, "李华")
    asyncio.run(shift.refresh())
    return Page(counter.desk, shift, Options(Terms("城关镇", "110")))


@pytest.fixture
def browser(page):
    return Browser(page.app)


def token_of(browser):
    return re.search(r'data-token="([0-9a-f]{64})"', browser.get("/").text)[1]


PLATE = Draft("vehicle", "A12345", "云")


def put(counter, state, draft=PLATE, notice=None):
    """The screen in a state, as if everything before had happened."""
    screen: Counter = counter.desk.counter
    screen.since_ms = (
        time.time_ns() // 1_000_000
    )  # an old screen is cleared as soon as the counter's thread looks
    screen.state, screen.tag, screen.tag_id, screen.draft, screen.notice = (
        state,
        TAG,
        make(1),
        draft,
        notice,
    )


class Outline(HTMLParser):
    """What a page loads and runs."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.handlers, self.inline, self._open = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._open = tag
        for name, value in attributes:
            if name in ("src", "href", "action"):
                self.addresses.append(value)
            if name.startswith("on") or name == "style":
                self.handlers.append((tag, name))

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        if self._open in ("script", "style") and data.strip():
            self.inline.append(data)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("state", State)
def test_every_state_in_both_languages_is_whole_without_the_internet(browser, counter, state, language):
    notice = News(Happening.NOTICE, reason=REASONS["battery_dead"], support="45-7K2F", detail="2900 mV")
    put(counter, state, notice=notice)
    browser.cookies.set("language", language)
    text = browser.get("/").text
    face, reason = FACES[state], REASONS["battery_dead"]
    said = (face.word, reason.cause, reason.action)
    for sentence in said:
        assert (sentence.zh if language == "zh" else str(sentence).replace("'", "&#39;")) in text
    assert "45-7K2F" in text and f'data-state="{state}"' in text and f"kind-{face.kind}" in text
    outline = Outline(text)
    assert not outline.handlers and not outline.inline
    assert all(address.startswith("/") and not address.startswith("//") for address in outline.addresses)
    for address in set(outline.addresses):
        if address.startswith("/static/"):
            assert browser.get(address).status_code == 200


def test_every_answer_forbids_foreign_and_inline_code(browser):
    for path in ("/", "/screen", "/static/counter.js", "/paper/receipt", "/nowhere"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8470", "127.0.0.1.evil.example", "", "[::2]:8470"]
)
def test_a_name_that_somebody_points_at_this_computer_is_refused(browser, host):
    assert browser.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8470", "localhost", "LOCALHOST:1", "[::1]:8470"])
def test_this_computers_own_names_are_taken(browser, host):
    assert browser.get("/", headers={"host": host}).status_code == 200


def test_the_name_in_a_host_header():
    assert [host_name(text) for text in ("[::1]:8470", "A:1", "b", "")] == ["::1", "a", "b", ""]


def test_the_cookie_is_for_this_page_alone(browser):
    cookie = browser.get("/").headers["set-cookie"]
    assert cookie.startswith(COOKIE) and "HttpOnly" in cookie and "SameSite=Strict" in cookie


@pytest.mark.parametrize("path", ["/scan", "/order", "/key", "/sign-in", "/sign-out", "/unlock", "/language"])
def test_a_form_of_another_page_does_nothing(browser, page, counter, path):
    put(counter, State.VERIFIED)
    stranger = Browser(page.app)
    form = {"do": "advance", "seen": "0", "text": "云A12345"}
    token = token_of(browser)
    assert browser.post(path, data=form).status_code == 403
    assert browser.post(path, data=form | {"token": token_of(stranger)}).status_code == 403
    foreign = {"origin": "http://evil.example"}
    assert browser.post(path, data=form | {"token": token}, headers=foreign).status_code == 403
    counter.settled()
    assert counter.desk.look().state is State.VERIFIED and counter.desk.look().version == 0


def test_enter_for_the_screen_before_is_too_late(browser, counter):
    put(counter, State.CARDED)
    counter.desk.counter.version = 7
    form = {"token": token_of(browser), "do": "back"}
    assert browser.post("/key", data=form | {"seen": "6"}).status_code == 303
    assert counter.desk.look().state is State.CARDED
    browser.post("/key", data=form | {"seen": "7"})
    assert counter.desk.look().state is State.FOUND


def test_what_was_typed_is_text_and_never_code(browser, counter):
    put(counter, State.CARDED, Draft("sentry", '"><script>alert(1)</script>'))
    text = browser.get("/").text
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)" in text


def test_a_form_of_endless_length_is_cut(browser, counter):
    put(counter, State.FOUND, Draft())
    form = {"token": token_of(browser), "do": "draft", "profile": "vehicle", "subject": "A" * 5000}
    browser.post("/order", data=form)
    assert len(counter.desk.look().draft.subject) == 200


def test_a_scanned_card_and_a_scanned_plate(browser, counter):
    put(counter, State.FOUND, Draft(province="云"))
    token = token_of(browser)
    browser.post("/scan", data={"token": token, "text": "贵b·98765"})
    browser.post("/scan", data={"token": token, "text": encode(Label(DEVICE_ID)).lower()})
    counter.settled()
    assert counter.desk.look().state is State.CARDED
    assert counter.desk.look().draft == Draft("vehicle", "B98765", "贵")


def test_a_card_that_is_not_the_connected_tags(browser, counter):
    other_id = bytes(7) + b"\x09"
    put(counter, State.FOUND, Draft())
    token = token_of(browser)

    def told(text):
        browser.post("/scan", data={"token": token, "text": text})
        counter.settled()
        assert counter.desk.look().state is State.FOUND
        return counter.desk.look().notice.reason.name

    tag_id = counter.settled(lambda registry: bound(registry, other_id)).tag_id
    assert told(encode(Label(other_id))) == told(tag_id) == "other_card"
    counter.settled(lambda registry: registry.advance(other_id, "handed_over", "00", 1))
    assert told(encode(Label(other_id))) == told(tag_id) == "already_bound"
    assert told(make(30_000)) == "unknown_number"


def test_another_use_has_other_fields_and_drops_what_was_for_the_first(browser, counter):
    put(counter, State.CARDED, Draft("vehicle", "A12345", "云", "13800000000"))
    form = {"token": token_of(browser), "do": "draft", "subject": "A12345", "phone": "13800000000"}
    browser.post("/order", data=form | {"profile": "wearable"})
    assert counter.desk.look().draft == Draft("wearable", "", "云", "13800000000")
    assert 'name="consent"' in browser.get("/").text and 'name="province"' not in browser.get("/").text
    browser.post("/order", data=form | {"profile": "wearable", "do": "write", "subject": "王小明"})
    assert counter.desk.look().notice.reason.name == "no_consent"
    browser.post("/order", data=form | {"profile": "nonsense", "consent": "nobody", "subject": "王小明"})
    assert counter.desk.look().draft == Draft("wearable", "王小明", "", "13800000000")


def person_of(name, role="staff"):
    return lambda registry: People(registry).add(name, "2468", role, 0)


def test_where_the_registry_knows_people_one_of_them_must_sign_in(browser, counter):
    counter.settled(person_of("李华", "supervisor"))
    put(counter, State.DONE)
    page = browser.get("/")
    assert 'name="pin"' in page.text and "GN-" not in page.text
    assert browser.get("/screen").status_code == browser.get("/events").status_code == 401
    assert browser.get("/paper/receipt").status_code == 404
    form = {"token": token_of(browser), "name": "李华"}
    for path, values in (
        ("/key", {"do": "back", "seen": "0"}),
        ("/scan", {"text": "云A12345"}),
        ("/order", {}),
    ):
        assert browser.post(path, data=form | values).status_code == 403
    wrong = browser.post("/sign-in", data=form | {"pin": "1111"})
    assert "姓名或 PIN 不对" in wrong.text and "set-cookie" not in wrong.headers
    assert browser.post("/sign-in", data=form | {"pin": "２４６８"}).status_code == 303  # full-width
    assert 'data-state="done"' in browser.get("/").text and "李华" in browser.get("/").text
    assert browser.post("/sign-out", data=form).status_code == 303
    assert browser.get("/screen").status_code == 401
    rows = counter.settled(lambda registry: [(row.action, row.result) for row in Audit(registry).entries()])
    assert rows[1:] == [("sign in", "wrong pin"), ("sign in", "done"), ("sign out", "done")]


def test_after_too_many_wrong_pins_the_right_one_waits_too(browser, counter):
    counter.settled(person_of("李华", "supervisor"))
    form = {"token": token_of(browser), "name": "李华"}
    for _ in range(MOST_WRONG):
        browser.post("/sign-in", data=form | {"pin": "1111"})
    assert "PIN 输错次数过多" in browser.post("/sign-in", data=form | {"pin": "2468"}).text


def test_the_session_of_somebody_who_went_away_ends(browser, counter):
    clock_ms = [1_000_000]
    counter.desk.settings = replace(counter.desk.settings, now_ms=lambda: clock_ms[0])
    counter.settled(person_of("李华", "supervisor"))
    form = {"token": token_of(browser), "name": "李华", "pin": "2468"}
    browser.post("/sign-in", data=form)
    for _ in range(3):  # who works stays in
        clock_ms[0] += IDLE_MS - 1
        assert browser.get("/screen").status_code == 200
    clock_ms[0] += IDLE_MS + 1
    assert browser.get("/screen").status_code == 401


def test_a_point_is_unlocked_for_the_shift_and_locked_after_it(browser, counter):
    vault = Vault.create("five small words", Cost(memory_kib=1024, passes=1, lanes=1))
    point = ("p1", "城关镇", True, vault.header, b"", b"", 0)
    insert = "INSERT INTO point VALUES (1, ?, ?, ?, ?, ?, ?, ?)"
    counter.settled(lambda registry: registry.database.execute(insert, point))
    form = {"token": token_of(browser)}
    assert 'name="passphrase"' in browser.get("/").text and browser.get("/screen").status_code == 401
    wrong = browser.post("/unlock", data=form | {"passphrase": "five big words"})
    assert 'role="alert"' in wrong.text and browser.get("/screen").status_code == 401
    assert browser.post("/unlock", data=form | {"passphrase": "five small words"}).status_code == 303
    assert browser.get("/screen").status_code == 200
    browser.post("/sign-out", data=form | {"do": "end"})
    assert browser.get("/screen").status_code == 401 and counter.settled(lambda registry: registry.locked)


def test_a_bound_tag_is_let_go_by_a_supervisor_beside_the_operator(browser, counter):
    def set_up(registry):
        registry.advance(bound(registry).device_id, "handed_over", "00", 1)
        person_of("张主管", "supervisor")(registry)
        supervisor = People(registry)
        session = supervisor.sign_in("张主管", "2468", 0)
        supervisor.add("李华", "1357", "supervisor", 0, session)

    counter.settled(set_up)
    token = token_of(browser)
    browser.post("/sign-in", data={"token": token, "name": "李华", "pin": "1357"})
    put(counter, State.REFUSED, Draft(), News(Happening.REFUSED, reason=REASONS["already_bound"]))
    assert 'name="supervisor"' in browser.get("/").text
    for name, pin in (("张主管", "1357"), ("李华", "1357"), ("nobody", "2468")):
        browser.post("/approve", data={"token": token, "supervisor": name, "pin": pin})
        assert counter.desk.look().state is State.REFUSED
        assert counter.desk.look().notice.reason.name == "not_approved"
    browser.post("/approve", data={"token": token, "supervisor": "张主管", "pin": "2468"})
    counter.until(State.CUT_UNDOING)  # nothing is connected in this test
    rows = counter.settled(lambda registry: list(Audit(registry).entries()))
    agreed = [(row.result, row.who) for row in rows if row.action == "approve"]
    assert agreed[-1] == ("done", "李华") and ("refused", "李华") in agreed


def bound(registry, device_id=DEVICE_ID):
    return registry.reserve(
        Record(
            *(device_id, "", "tag", "xiao_c3_sx1262", "vehicle", "云A12345", None),
            *("reserved", "00", 1_700_000_000_000, Secret(bytes(32))),
        )
    )


def test_papers_of_the_tag_on_the_screen_once_it_is_handed_over(browser, counter):
    tag_id = counter.settled(bound).tag_id
    for kind, begin in (("receipt", b"%PDF"), ("card", b"%PDF"), ("label", b"%PDF"), ("zpl", b"^XA")):
        put(counter, State.VERIFIED)
        assert browser.get(f"/paper/{kind}").status_code == 404
        put(counter, State.DONE)
        paper = browser.get(f"/paper/{kind}")
        assert paper.content.startswith(begin) and tag_id in paper.headers["content-disposition"]
    assert browser.get("/paper/secret").status_code == 404
    rows = counter.settled(lambda registry: list(Audit(registry).entries()))
    printed = [row.result for row in rows if (row.action, row.who, row.tag_id) == ("print", "李华", tag_id)]
    assert printed == ["receipt", "card", "label", "zpl"]
