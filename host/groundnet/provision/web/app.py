"""The counter's page: one screen, drawn on the server, sent anew whenever it changes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from groundnet.errors import GroundnetError
from groundnet.provision import scan
from groundnet.provision.audit import Audit
from groundnet.provision.counter import TAKES_ENTRIES, Counter, Event, News, State
from groundnet.provision.counter_desk import CounterDesk
from groundnet.provision.paper.receipt import Terms
from groundnet.provision.registry import Record, Registry
from groundnet.provision.subject import CONSENTS, PROFILES, Draft
from groundnet.provision.web import papers, wording
from groundnet.provision.web.changes import Changes
from groundnet.provision.web.shift import Shift
from groundnet.web.door import TOKEN_FIELD, Door, Tokens

COOKIE = "groundnet_counter"
LANGUAGE_COOKIE = "language"
LONGEST_FIELD = 200
_KEEP_ALIVE_S = 10.0
_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Options:
    """How the page is served. ``hosts`` are the names that it may be asked for."""

    terms: Terms = field(default_factory=Terms)
    language: str = "zh"
    hosts: frozenset[str] = frozenset(("127.0.0.1", "localhost", "::1"))


class Page:
    """The routes of the page; ``app`` is what a server runs."""

    def __init__(self, desk: CounterDesk, shift: Shift, options: Options | None = None) -> None:
        self._desk = desk
        self._shift = shift
        self._options = options or Options()
        self._tokens = Tokens()
        self._changes = Changes(desk)
        self._pages = Environment(
            loader=PackageLoader("groundnet.provision.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        routes = [
            Route("/", self.index),
            Route("/screen", self.screen),
            Route("/events", self.events),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
            Route("/unlock", self.unlock, methods=["POST"]),
            Route("/language", self.language, methods=["POST"]),
            Route("/scan", self.scan, methods=["POST"]),
            Route("/order", self.order, methods=["POST"]),
            Route("/key", self.key, methods=["POST"]),
            Route("/approve", self.approve, methods=["POST"]),
            Route("/paper/{kind}", self.paper),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ]
        self.app: ASGIApp = Door(Starlette(routes=routes), self._options.hosts, COOKIE)

    async def index(self, request: Request) -> Response:
        """The whole page: the counter, or what must come before it."""
        await self._shift.refresh()
        if self._enter(request) is None:
            return self._answer(request, "sign_in.html", error=None)
        screen = self._screen(request, self._language(request))
        return self._answer(request, "counter.html", screen=screen, error=None)

    async def screen(self, request: Request) -> Response:
        """The screen alone."""
        if self._enter(request) is None:
            return PlainTextResponse("signed out", 401)
        return HTMLResponse(self._screen(request, self._language(request)))

    async def events(self, request: Request) -> Response:
        """The screen whenever it changes, as server-sent events."""
        if self._shift.person(request.state.browser, touch=False) is None:
            return PlainTextResponse("signed out", 401)
        return StreamingResponse(self._stream(request), media_type="text/event-stream")

    async def sign_in(self, request: Request) -> Response:
        form = await self._form(request)
        if form is None:
            return _forged()
        try:
            await self._shift.sign_in(request.state.browser, _text(form, "name"), _text(form, "pin"))
        except GroundnetError as error:
            return self._answer(request, "sign_in.html", error=error)
        return _home()

    async def unlock(self, request: Request) -> Response:
        form = await self._form(request)
        if form is None:
            return _forged()
        try:
            await self._shift.unlock(_text(form, "passphrase"))
        except GroundnetError as error:
            return self._answer(request, "sign_in.html", error=error)
        return _home()

    async def sign_out(self, request: Request) -> Response:
        form = await self._form(request)
        if form is None or not self._enter(request):
            return _forged()
        await self._shift.sign_out(request.state.browser)
        if _text(form, "do") == "end":
            await self._shift.end()
        return _home()

    async def language(self, request: Request) -> Response:
        form = await self._form(request)
        if form is None:
            return _forged()
        response = _home()
        chosen = "en" if _text(form, "language") == "en" else "zh"
        response.set_cookie(LANGUAGE_COOKIE, chosen, samesite="strict", max_age=365 * 86400)
        return response

    async def scan(self, request: Request) -> Response:
        """A scan of the whole window, or what was typed into its field."""
        form = await self._form(request)
        if form is None or not self._enter(request):
            return _forged()
        self._desk.scan(_text(form, "text"))
        return _home()

    async def order(self, request: Request) -> Response:
        """The form: whose the tag will be. ``do`` is "write", or "draft" for a part of it."""
        form = await self._form(request)
        if form is None or not self._enter(request):
            return _forged()
        draft = _draft(form, self._desk.look().draft)
        if _text(form, "do") == "draft":
            self._desk.tell(News(Event.DRAFT, draft=draft))
        else:
            self._desk.submit(draft)
        return _home()

    async def key(self, request: Request) -> Response:
        """Enter or Escape, meant for the screen that was seen: for another one it is too late."""
        form = await self._form(request)
        if form is None or not self._enter(request):
            return _forged()
        if _text(form, "seen") == str(self._desk.look().version):
            event = {"advance": Event.ADVANCE, "back": Event.BACK}.get(_text(form, "do"))
            if event is not None:
                self._desk.tell(News(event))
        return _home()

    async def approve(self, request: Request) -> Response:
        """A supervisor beside the operator agrees, with a PIN, that a bound tag is taken from its owner."""
        form = await self._form(request)
        if form is None or not self._enter(request):
            return _forged()
        await self._shift.approve(_text(form, "supervisor"), _text(form, "pin"))
        return _home()

    async def paper(self, request: Request) -> Response:
        """Receipt, card or label of the tag on the screen, once it is handed over."""
        kind = request.path_params["kind"]
        person = self._enter(request)
        counter = self._desk.look()
        if not person or counter.state is not State.DONE or counter.tag is None or kind not in papers.MEDIA:
            return PlainTextResponse("there is nothing to print\n", 404)
        device_id, now_ms = counter.tag.device_id, self._desk.settings.now_ms()

        def question(registry: Registry) -> Record | None:
            record = registry.by_device(device_id)
            if record is not None:
                Audit(registry).append(now_ms, "print", kind, tag_id=record.tag_id)
            return record

        record = await asyncio.wrap_future(self._desk.call(question))
        if record is None:
            return PlainTextResponse("there is nothing to print\n", 404)
        media, suffix = papers.MEDIA[kind]
        content = await asyncio.to_thread(papers.make, kind, record, self._options.terms, person)
        named = f'inline; filename="{record.tag_id}-{kind}.{suffix}"'
        return Response(content, media_type=media, headers={"content-disposition": named})

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        language = self._language(request)
        seen = -1
        while self._shift.person(request.state.browser, touch=False) is not None:
            version = self._desk.look().version
            if version != seen:
                seen = version
                lines = self._screen(request, language).splitlines()
                yield "event: screen\n" + "".join(f"data: {line}\n" for line in lines) + "\n"
            elif not await self._changes.wait(_KEEP_ALIVE_S):
                yield ": still here\n\n"
        yield "event: signed-out\ndata:\n\n"

    def _screen(self, request: Request, language: str) -> str:
        counter = self._desk.look()
        values = _values(counter, language) | {
            "token": self._tokens.of(request),
            "people": self._shift.people,
        }
        return self._pages.get_template("screen.html").render(values)

    def _answer(self, request: Request, template: str, **values: object) -> Response:
        language = self._language(request)
        known = {
            "token": self._tokens.of(request),
            "language": language,
            "words": wording.WORDS,
            "say": lambda text: wording.say(text, language),
            "point": self._options.terms.install_point,
            "person": self._shift.person(request.state.browser) or "",
            "shift": self._shift,
        }
        return HTMLResponse(self._pages.get_template(template).render(known | values))

    def _language(self, request: Request) -> str:
        chosen = request.cookies.get(LANGUAGE_COOKIE)
        return chosen if chosen in wording.LANGUAGES else self._options.language

    def _enter(self, request: Request) -> str | None:
        """Who it is that asks for something; what they ask for is theirs in the audit."""
        person = self._shift.person(request.state.browser)
        if person is not None:
            self._desk.staff = person
        return person

    async def _form(self, request: Request) -> FormData | None:
        """The form, None when it does not bring this browser's token."""
        form = await request.form(max_fields=12, max_files=0)
        return form if self._tokens.fits(request, _text(form, TOKEN_FIELD)) else None


def _values(counter: Counter, language: str) -> dict[str, object]:
    """What the template of the screen knows."""
    notice = counter.notice
    face = wording.FACES[counter.state]
    failed = notice is not None and notice.reason is not None
    return {
        "counter": counter,
        "face": face,
        "sound": "failure" if failed else face.sound,
        "takes_entries": counter.state in TAKES_ENTRIES,
        "language": language,
        "say": lambda text: wording.say(text, language),
        "words": wording.WORDS,
        "wording": wording,
        "provinces": scan.PROVINCES,
        "State": State,
    }


def _draft(form: FormData, before: Draft) -> Draft:
    profile, consent = _text(form, "profile"), _text(form, "consent")
    province = _text(form, "province")
    chosen = profile if profile in PROFILES else before.profile
    if chosen != before.profile:
        return Draft(chosen, province=before.province, phone=_text(form, "phone"))
    return Draft(
        chosen,
        _text(form, "subject"),
        province if province in scan.PROVINCES else "",
        _text(form, "phone"),
        consent if consent in CONSENTS else "",
    )


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value[:LONGEST_FIELD] if isinstance(value, str) else ""


def _home() -> Response:
    return RedirectResponse("/", 303)


def _forged() -> Response:
    return PlainTextResponse("reload the page and try again\n", 403)
