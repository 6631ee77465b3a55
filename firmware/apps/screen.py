"""The finder's screen: one page of what the core knows.

    A7F3 LOST        7h  [###]      code or ?id, flags, time left, battery
    [##############          ]      bar: -120 .. -30 dBm
    -67 dBm                 .--.    smoothed level
    30 m                   |  ' |   band; dial: the hand to turn with, then the mark
    12 s                    '--'    age of the last beacon
    turn with hand                  what is going on

Drawing goes into the driver's own buffer; the texts of a page are made once a second, nothing else is allocated. The
font has no Chinese: numbers, units and signs say the most of it.
"""

import math

import framebuf
from apps.run_loop import Part
from drivers import ssd1306
from groundcore import events
from micropython import const

_BAR_Y = const(11)
_BAR_HEIGHT = const(10)
_DIAL_X = const(106)
_DIAL_Y = const(40)
_DIAL_R = const(15)
_BATTERY_X = const(110)
_BATTERY_WIDTH = const(16)
_BATTERY_UNKNOWN = const(15)
_CONTRAST = const(0xCF)


class Screen(Part):
    """Carries out SCREEN."""

    actions = ((events.SCREEN, "show"),)
    errors = (ssd1306.Ssd1306Error, OSError)

    def __init__(self, hardware):
        entry = hardware.part("display")
        level = entry.get("enable_level", 1)
        self._display = ssd1306.Ssd1306(
            hardware.i2c(entry["i2c"]),
            entry["address"],
            hardware.output(entry["reset"], 1) if "reset" in entry else None,
            hardware.output(entry["enable"], 1 - level) if "enable" in entry else None,
            level,
        )
        self._page = framebuf.FrameBuffer(
            self._display.buffer, ssd1306.WIDTH, ssd1306.HEIGHT, framebuf.MONO_VLSB
        )

    def show(self, view) -> None:
        """Bring the screen up to date; None: switch it off."""
        display = self._display
        if view is None:
            if display.on:
                display.sleep()
            return
        self._draw(view)
        if display.on:
            display.show()
        else:
            display.wake()
            display.contrast(_CONTRAST)

    def failed(self, action: int) -> None:
        """It lost its supply or its reset: the next page sets it up anew."""
        self._display.on = False

    def test(self) -> tuple:
        """Whether it answers on its bus."""
        display = self._display
        if display.on:
            display.contrast(_CONTRAST)
        else:
            display.wake()
            display.sleep()
        return True, 1, "answers"

    # --- the page

    def _draw(self, view):
        page = self._page
        page.fill(0)
        page.text(_head(view), 0, 0)
        self._draw_battery(view.battery)
        page.rect(0, _BAR_Y, ssd1306.WIDTH, _BAR_HEIGHT, 1)
        page.fill_rect(2, _BAR_Y + 2, (ssd1306.WIDTH - 4) * view.bar // 100, _BAR_HEIGHT - 4, 1)
        if view.level_dbm is not None:
            page.text("%d dBm" % view.level_dbm, 0, 24)
            page.text(view.band or "no signal", 0, 32)
        if view.age_s is not None:
            page.text(_age(view.age_s), 0, 40)
        page.text(view.text, 0, 56)
        if view.hand_deg is not None:
            self._draw_dial(view.hand_deg, False)
        elif view.mark_deg is not None:
            self._draw_dial(view.mark_deg, True)

    def _draw_battery(self, level):
        self._page.rect(_BATTERY_X, 0, _BATTERY_WIDTH, 8, 1)
        self._page.fill_rect(_BATTERY_X + _BATTERY_WIDTH, 2, 2, 4, 1)
        if level != _BATTERY_UNKNOWN:
            self._page.fill_rect(_BATTERY_X + 1, 1, level, 6, 1)

    def _draw_dial(self, angle_deg, marked):
        """A circle, up is where the turn began; a hand, or a thick wedge towards the tag."""
        page = self._page
        page.ellipse(_DIAL_X, _DIAL_Y, _DIAL_R, _DIAL_R, 1)
        spread = (-16, -8, 0, 8, 16) if marked else (0,)
        for aside in spread:
            angle = math.radians(angle_deg + aside)
            x = _DIAL_X + int(_DIAL_R * math.sin(angle))
            y = _DIAL_Y - int(_DIAL_R * math.cos(angle))
            page.line(_DIAL_X, _DIAL_Y, x, y, 1)


def _head(view) -> str:
    sign = "!" if view.siren else "*" if view.lost else ""
    left = ""
    if view.left_min is not None:
        left = " %dh" % (view.left_min // 60) if view.left_min >= 60 else " %dm" % view.left_min
    return (view.code or "searching") + sign + left


def _age(age_s) -> str:
    return "%d s" % age_s if age_s < 100 else "%d min" % (age_s // 60)
