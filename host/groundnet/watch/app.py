"""The routes of the operators' page: drawn on the server, kept fresh by polling parts of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from groundnet.collector.places.export import FORMATS, iso_time
from groundnet.collector.places.track import last_place
from groundnet.errors import GroundnetError
from groundnet.watch import map_svg, situation, wording
from groundnet.watch.desk import Desk, NoSuchCase
from groundnet.watch.map_svg import Style
from groundnet.web.door import TOKEN_FIELD, Door, Tokens

COOKIE, LANGUAGE_COOKIE = "groundnet_watch", "language"
LONGEST_FIELD = 200
STALE_MS = 15 * 60_000  # nothing of any station for so long
ORDERS = ("siren-on", "siren-off", "locate")
MEDIA = {
    "gpx": "application/gpx+xml",
    "csv": "text/csv; charset=utf-8",
    "geojson": "application/geo+json",
    "kml": "application/vnd.google-earth.kml+xml",
}
_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Options:
    """How the page is served. ``hosts`` are the names that it may be asked for; ``images`` the origin of tiles."""

    style: Style = field(default_factory=Style)
    attribution: str = ""
    images: str = ""
    language: str = "zh"
    hosts: frozenset[str] = frozenset(("127.0.0.1", "localhost", "::1"))
    secure: bool = False


class Page:
    """``app`` is what a server runs."""

    def __init__(self, desk: Desk, options: Options | None = None) -> None:
        self._desk = desk
        self._options = options or Options()
        self._tokens = Tokens()
        self._pages = Environment(
            loader=PackageLoader("groundnet.watch"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        routes = [
            Route("/", partial(self._seen, self._overview, "overview.html")),
            Route("/part", partial(self._seen, self._overview, "overview_part.html")),
            Route("/case/{number:int}", partial(self._seen, self._thing, "thing.html")),
            Route("/case/{number:int}/part", partial(self._seen, self._thing, "thing_part.html")),
            Route("/case/{number:int}/track.{form}", self.download),
            Route("/case", self.open_case, methods=["POST"]),
            Route("/case/{number:int}/close", self.close_case, methods=["POST"]),
            Route("/case/{number:int}/order", self.order, methods=["POST"]),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
            Route("/language", self.language, methods=["POST"]),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ]
        options = self._options
        self.app: ASGIApp = Door(
            Starlette(routes=routes), options.hosts, COOKIE, options.images, options.secure
        )

    # --- what is seen

    async def _seen(
        self, values: Callable[[Request, str], Awaitable[dict[str, Any]]], template: str, request: Request
    ) -> Response:
        """A page, or the part of it that is asked for again and again; that keeps no session alive.

        204: the case was closed meanwhile.
        """
        part = template.endswith("_part.html")
        who = self._desk.person(request.state.browser, touch=not part)
        if who is None:
            return PlainTextResponse("signed out", 401) if part else self._answer(request, "sign_in.html")
        try:
            return self._answer(request, template, **await values(request, who))
        except NoSuchCase as error:
            return Response(status_code=204) if part else self._refused(request, error, 404)
        except GroundnetError as error:  # the store: the page goes on asking, and says how old it is
            return PlainTextResponse(f"{error}\n", 503) if part else self._refused(request, error, 503)

    async def _overview(self, request: Request, who: str) -> dict[str, Any]:
        seen = await self._desk.overview(who)
        names = {thing.number: thing.plate or thing.tags[0] for thing in seen.things}
        drawn = map_svg.overview(seen.stations, seen.places, names, self._options.style)
        newest_ms = situation.newest_ms(seen.stations)
        return {"seen": seen, "map": Markup(drawn), "newest_ms": newest_ms}  # map_svg escapes

    async def _thing(self, request: Request, who: str) -> dict[str, Any]:
        followed = await self._desk.track(who, request.path_params["number"])
        seen, points, last = followed.stations, followed.points, last_place(followed.points)
        drawn = "" if last is None else map_svg.of_track(seen, points, last, self._options.style)
        return {
            "thing": followed.thing,
            "points": points,
            "last": last,
            "ordered": followed.orders,
            "map": Markup(drawn),
            "newest_ms": situation.newest_ms(seen),
        }

    async def download(self, request: Request) -> Response:
        """The track in one of the formats, WGS-84 whatever the map shows."""
        form = request.path_params["form"]
        who = self._desk.person(request.state.browser)
        if who is None:
            return PlainTextResponse("signed out\n", 401)
        if form not in FORMATS:
            return PlainTextResponse("no such format\n", 404)
        try:
            followed = await self._desk.track(who, request.path_params["number"], form)
        except NoSuchCase as error:
            return PlainTextResponse(f"{error}\n", 404)
        except GroundnetError as error:
            return PlainTextResponse(f"{error}\n", 503)
        thing = followed.thing
        named = f'attachment; filename="{thing.tags[0]}.{form}"'
        text = FORMATS[form](followed.points, thing.plate or thing.tags[0])
        return Response(text, media_type=MEDIA[form], headers={"content-disposition": named})

    # --- what is done

    async def open_case(self, request: Request) -> Response:
        async def work(who: str, form: FormData) -> str:
            said = [_text(form, name) for name in ("tag", "document", "reason", "reporter")]
            return f"/case/{await self._desk.open_case(who, *said)}"

        return await self._do(request, work)

    async def close_case(self, request: Request) -> Response:
        async def work(who: str, form: FormData) -> str:
            await self._desk.close_case(who, request.path_params["number"], _text(form, "outcome"))
            return "/"

        return await self._do(request, work)

    async def order(self, request: Request) -> Response:
        async def work(who: str, form: FormData) -> str:
            number, command = request.path_params["number"], _text(form, "command")
            await self._desk.order(who, number, command if command in ORDERS else "")
            return f"/case/{number}"

        return await self._do(request, work)

    async def sign_in(self, request: Request) -> Response:
        form = await self._form(request)
        if form is None:
            return _forged()
        try:
            await self._desk.sign_in(request.state.browser, _text(form, "name"), _text(form, "pin"))
        except GroundnetError as error:
            return self._answer(request, "sign_in.html", error=error)
        return RedirectResponse("/", 303)

    async def sign_out(self, request: Request) -> Response:
        form = await self._form(request)
        if form is None:
            return _forged()
        await self._desk.sign_out(request.state.browser)
        return RedirectResponse("/", 303)

    async def language(self, request: Request) -> Response:
        form = await self._form(request)
        if form is None:
            return _forged()
        back = _text(form, "back")
        response = RedirectResponse(back if back.startswith("/case/") else "/", 303)
        chosen = "en" if _text(form, "language") == "en" else "zh"
        response.set_cookie(LANGUAGE_COOKIE, chosen, samesite="strict", max_age=365 * 86_400)
        return response

    # --- shared

    async def _do(self, request: Request, work: Callable[[str, FormData], Awaitable[str]]) -> Response:
        """Something that a form asks for; then the page where it is seen, or why it was refused."""
        form = await self._form(request)
        who = self._desk.person(request.state.browser)
        if form is None or who is None:
            return _forged()
        try:
            return RedirectResponse(await work(who, form), 303)
        except GroundnetError as error:
            return self._refused(request, error, 400)

    def _refused(self, request: Request, error: GroundnetError, status: int) -> Response:
        return self._answer(request, "refused.html", error=error, status=status)

    def _answer(self, request: Request, template: str, status: int = 200, **values: object) -> Response:
        language = self._language(request)
        now_ms = self._desk.now_ms()
        known = {
            "error": None,
            "token": self._tokens.of(request),
            "language": language,
            "words": wording.WORDS,
            "say": lambda text: wording.say(text, language),
            "age": lambda time_ms: wording.age(max(0, now_ms - time_ms) / 1000, language),
            "health": lambda told: wording.health(told, language),
            "iso_time": iso_time,
            "now_ms": now_ms,
            "stale_ms": STALE_MS,
            "person": self._desk.person(request.state.browser, touch=False) or "",
            "people": self._desk.has_people,
            "orders": ORDERS,
            "formats": [form for form in FORMATS if form in MEDIA],
            "attribution": self._options.attribution,
            "path": request.url.path,
        }
        return HTMLResponse(self._pages.get_template(template).render(known | values), status)

    def _language(self, request: Request) -> str:
        chosen = request.cookies.get(LANGUAGE_COOKIE)
        return chosen if chosen in wording.LANGUAGES else self._options.language

    async def _form(self, request: Request) -> FormData | None:
        """The form, None when it does not bring this browser's token."""
        form = await request.form(max_fields=12, max_files=0)
        return form if self._tokens.fits(request, _text(form, TOKEN_FIELD)) else None


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip()[:LONGEST_FIELD] if isinstance(value, str) else ""


def _forged() -> Response:
    return PlainTextResponse("reload the page and try again\n", 403)
