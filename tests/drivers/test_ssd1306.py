"""The display driver: what a person sees is what was drawn, and nothing is sent twice."""

import random

import pytest
from groundnet.sim.chips.ssd1306 import Ssd1306 as Panel

RESET, POWER = 21, 36


@pytest.fixture
def panel(bench):
    switch, reset = bench.io.line(POWER), bench.io.line(RESET)
    switch.level, reset.level = 1, 1
    panel = Panel(bench.power, reset=reset, supply=lambda: switch.level == 0)
    switch.listen(lambda _: panel.power_cycle())
    bench.io.i2c(0).attach(0x3C, panel)
    return panel


@pytest.fixture
def display(bench, panel):
    driver = bench.driver("ssd1306")
    return driver.Ssd1306(bench.i2c(), reset=bench.pin(RESET, 1), power=bench.pin(POWER, 1), power_level=0)


def plot(display, x, y):
    """As framebuf.MONO_VLSB keeps it."""
    display.buffer[y // 8 * 128 + x] |= 1 << y % 8


def test_a_picture_comes_out_as_it_was_drawn(display, panel):
    stream = random.Random(4)
    pixels = {(stream.randrange(128), stream.randrange(64)) for _ in range(300)}
    for x, y in pixels:
        plot(display, x, y)
    display.wake()
    rows = panel.rows()
    assert {(x, y) for y in range(64) for x in range(128) if rows[y][x] == "#"} == pixels
    assert panel.unknown == []


def test_memory_is_noise_before_and_clean_after_waking(display, panel):
    assert any(panel.ram)
    display.wake()
    assert not any(panel.ram) and panel.visible


def test_only_pages_that_changed_are_sent(display):
    display.wake()
    assert display.show() == 0
    plot(display, 5, 20)
    plot(display, 90, 23)
    assert display.show() == 1
    plot(display, 0, 63)
    plot(display, 0, 0)
    assert display.show() == 2


def test_sleep_cuts_the_supply_and_waking_sends_everything_again(bench, display, panel):
    display.wake()
    plot(display, 3, 3)
    display.show()
    lit_ua = bench.power.current_ua()
    display.sleep()
    assert not panel.visible and bench.io.line(POWER).level == 1
    assert bench.power.current_ua() == 0 < lit_ua
    display.wake()
    assert panel.pixel(3, 3) and sum(row.count("#") for row in panel.rows()) == 1


def test_inverting_and_brightness_reach_the_panel(bench, display, panel):
    display.wake()
    display.invert(True)
    assert all(row == "#" * 128 for row in panel.rows())
    bright_ua = bench.power.current_ua()
    display.contrast(1)
    assert panel.contrast == 1 and bench.power.current_ua() < bright_ua / 5
    display.invert(False)
    assert not any("#" in row for row in panel.rows())


def test_a_missing_display_is_named(bench):
    driver = bench.driver("ssd1306")
    with pytest.raises(driver.Ssd1306Error, match="no answer"):
        driver.Ssd1306(bench.i2c()).wake()
