"""Boots, resets, sleep and loss of power: what is lost and what is kept, and at which virtual time."""

import itertools

import pytest
from groundnet.image.firmware_image import compile_module
from groundnet.sim.board import BOOT_US
from groundnet.sim.boardfs import BoardFs, PowerCut
from groundnet.sim.world import US_PER_S
from sim.boards import board, printed, run

COUNT_BOOTS = """
import machine, os
kept = machine.RTC().memory()
machine.RTC().memory(kept + b'x')
try:
    marks = open('/marks').read()
except OSError:
    marks = ''
with open('/marks', 'w') as file:
    file.write(marks + 'f')
print(machine.reset_cause(), machine.wake_reason(), len(kept), len(marks), 'ram' in globals())
ram = 1
"""


def test_boot_py_runs_before_main_py_and_the_repl_follows():
    with board("print('main', __name__)", files={"/boot.py": b"print('boot')"}) as device:
        assert run(device) == ["boot", "main __main__"]
        assert device.log.endswith(">>> ")


def test_exception_in_main_leaves_a_traceback_and_a_repl():
    with board("def f():\n    1 / 0\nf()\n") as device:
        lines = run(device)
        assert lines == [
            "Traceback (most recent call last):",
            '  File "main.py", line 3, in <module>',
            '  File "main.py", line 2, in f',
            "ZeroDivisionError: divide by zero",
        ]


def test_compiled_modules_are_imported(tmp_path):
    (tmp_path / "thing.py").write_text("VALUE = 42\n")
    files = {"/lib/thing.mpy": compile_module(tmp_path / "thing.py", "thing")}
    with board("import thing\nprint(thing.VALUE)", files=files) as device:
        assert run(device) == ["42"]


def test_machine_reset_loses_ram_and_keeps_files_and_rtc_memory():
    source = COUNT_BOOTS + "if len(marks) < 2: machine.reset()\n"
    with board(source) as device:
        assert run(device) == ["1 0 0 0 False", "2 0 1 1 False", "2 0 2 2 False"]


def test_deep_sleep_wakes_by_timer_with_empty_ram():
    source = (
        COUNT_BOOTS + "import time\nprint(time.ticks_ms())\nif len(marks) < 2: machine.deepsleep(60_000)\n"
    )
    with board(source) as device:
        lines = run(device, 130)
        assert lines[0::2] == ["1 0 0 0 False", "4 4 1 1 False", "4 4 2 2 False"]
        assert device.boots == 3


def test_deep_sleep_takes_exactly_its_time():
    moments = []
    with board("import machine\nprint('up')\nmachine.deepsleep(10_000)\n") as device:
        device.console.listeners.append(lambda data: moments.append(device.world.now_us))
        run(device, 25)
        sleeps_us = [later - earlier for earlier, later in itertools.pairwise(moments)]
        assert sleeps_us == [pytest.approx(10 * US_PER_S + BOOT_US, abs=1000)] * 2


def test_slow_clock_makes_deep_sleep_longer_and_the_rtc_late():
    source = "import machine, time\nprint(time.time())\nmachine.deepsleep(1000_000)\n"
    with board(source, sleep_clock_error=0.05) as device:
        assert run(device, 1051) == ["0", "1000"]


def test_deep_sleep_without_time_wakes_by_pin_only():
    source = """
import machine, esp32
print(machine.reset_cause(), machine.wake_reason())
pin = machine.Pin(3, machine.Pin.IN)
esp32.wake_on_gpio([pin], esp32.WAKEUP_ANY_HIGH)
machine.deepsleep()
"""
    with board(source) as device:
        run(device, 3600)
        assert printed(device) == ["1 0"]
        device.io.line(3).drive(1)
        device.world.run_for(BOOT_US + 20_000)
        # The level is still there: the board wakes again and again, as a real one would.
        assert printed(device)[:2] == ["1 0", "4 7"]


@pytest.mark.parametrize(
    ("chip", "source", "gpio", "wakes"),
    [
        ("esp32c3", "gpio", 5, True),
        ("esp32c3", "gpio", 6, False),  # not in the RTC's domain
        ("esp32s3", "gpio", 5, False),  # light sleep only
        ("esp32s3", "ext1", 21, True),
        ("esp32s3", "ext1", 33, False),
    ],
)
def test_only_what_the_silicon_has_ends_a_deep_sleep(chip, source, gpio, wakes):
    program = f"""
import machine, esp32
print(machine.wake_reason())
if not machine.wake_reason():
    esp32.wake_on_{source}([machine.Pin({gpio}, machine.Pin.IN)], esp32.WAKEUP_ANY_HIGH)
    machine.deepsleep()
"""
    with board(program, chip=chip) as device:
        run(device)
        device.io.line(gpio).drive(1)
        device.world.run_for(US_PER_S)
        assert (len(printed(device)) > 1) == wakes


def test_ext1_low_waits_for_all_pins():
    source = """
import machine, esp32
print(machine.wake_reason())
pins = [machine.Pin(n, machine.Pin.IN) for n in (4, 5)]
esp32.wake_on_ext1(pins, esp32.WAKEUP_ALL_LOW)
machine.deepsleep()
"""
    with board(source, chip="esp32s3") as device:
        for gpio in (4, 5):
            device.io.line(gpio).drive(1)
        run(device)
        device.io.line(4).drive(0)
        device.world.run_for(US_PER_S)
        assert printed(device) == ["0"]
        device.io.line(5).drive(0)
        device.world.run_for(BOOT_US + 20_000)
        assert printed(device)[1] == "3"


def test_watchdog_resets_a_board_that_stops_feeding_it():
    source = """
import machine, time
print(machine.reset_cause())
if machine.reset_cause() == machine.PWRON_RESET:
    dog = machine.WDT(timeout=2000)
    for _ in range(5):
        time.sleep_ms(1500)
        dog.feed()
    print('fed')
    time.sleep(10)
    print('never')
"""
    with board(source) as device:
        assert run(device, 30) == ["1", "fed", "3"]


def test_watchdog_stands_still_in_light_sleep():
    source = """
import machine, time
print(machine.reset_cause())
machine.WDT(timeout=2000)
time.sleep_ms(1500)
machine.lightsleep(10_000)
print('awake')
time.sleep_ms(400)
print('still')
time.sleep_ms(200)
print('never')
"""
    with board(source) as device:
        assert run(device, 13) == ["1", "awake", "still", "3"]


def test_watchdog_rests_in_deep_sleep():
    source = """
import machine
print(machine.reset_cause())
machine.WDT(timeout=2000)
machine.deepsleep(30_000)
"""
    with board(source) as device:
        assert run(device, 65) == ["1", "4", "4"]


def test_power_off_loses_rtc_memory_and_what_was_not_synced():
    source = COUNT_BOOTS + "file = open('/marks', 'a')\nfile.write('lost')\n"
    with board(source) as device:
        run(device)
        device.power_off()
        device.world.run_for(US_PER_S)
        assert device.files["/marks"] == b"f"
        assert run(device) == ["1 0 0 0 False", "1 0 0 1 False"]


def test_brown_out_is_a_power_on_reset():
    with board(COUNT_BOOTS) as device:
        run(device)
        device.brown_out()
        device.world.run_for(US_PER_S)
        assert printed(device) == ["1 0 0 0 False", "1 0 0 1 False"]


def test_reset_button():
    with board(COUNT_BOOTS) as device:
        run(device)
        device.press_reset()
        device.world.run_for(US_PER_S)
        assert printed(device)[1] == "2 0 1 1 False"


def test_soft_reset_keeps_power_and_runs_main_again():
    source = COUNT_BOOTS + "import sys\nif len(marks) == 0: sys.exit()\n"
    with board(source) as device:
        assert run(device) == ["1 0 0 0 False", "MPY: soft reboot", "5 0 1 1 False"]
        assert device.boots == 1


@pytest.mark.parametrize(("watchdog", "cause"), [("", "2"), ("machine.WDT(timeout=1000)", "3")])
def test_loop_without_calls_is_reset(watchdog, cause):
    source = f"""
import machine
print(machine.reset_cause())
if machine.reset_cause() == machine.PWRON_RESET:
    {watchdog}
    while True:
        pass
"""
    with board(source) as device:
        assert run(device, 5) == ["1", cause]


def test_current_of_each_state_is_accounted():
    source = "import machine, time\ntime.sleep(2)\nmachine.lightsleep(3000)\nmachine.deepsleep(100_000)\n"
    with board(source) as device:
        run(device, 60)
        charge = device.power.charge_uas()
        chip = device.chip
        assert charge["mcu", "boot"] == pytest.approx(chip.boot_ua * BOOT_US / 1e6)
        assert charge["mcu", "idle"] == pytest.approx(chip.idle_ua * 2, rel=0.01)
        assert charge["mcu", "light sleep"] == pytest.approx(chip.light_sleep_ua * 3, rel=0.01)
        assert charge["mcu", "deep sleep"] == pytest.approx(chip.deep_sleep_ua * (60 - 5.05), rel=0.01)


FLASH_WORK = """
import os
with open('/settings', 'w') as file:
    file.write('new' * 3000)
os.mkdir('/folder')
os.rename('/settings', '/folder/settings')
os.remove('/old')
print('done')
"""


def test_power_cut_at_every_flash_step_leaves_a_whole_state():
    """Each step either happened or did not; the board starts again after all of them."""
    first = {"/settings": b"old", "/old": b"1"}
    seen = []
    for cut_at in range(1, 100):
        files = BoardFs(first)

        def cut(step, cut_at=cut_at):
            if step.number == cut_at:
                raise PowerCut

        files.on_step = cut
        with board(FLASH_WORK, files=files) as device:
            lines = run(device)
            seen.append({path: files[path] for path in files.paths() if path != "/main.py"})
            if lines == ["done"]:
                break
            assert device.state == "off"
    done = {"/folder/settings": b"new" * 3000}
    assert seen[-1] == done and len(seen) == files.steps + 1 == 8
    whole = [first, {**first, "/settings": b"new" * 3000}, {**done, "/old": b"1"}, done]
    assert all(state in whole for state in seen)


def test_files_are_kept_in_a_folder_of_the_host(tmp_path):
    with board(COUNT_BOOTS, files=BoardFs(folder=tmp_path)) as device:
        run(device)
    assert (tmp_path / "marks").read_text() == "f"
    with board(files=BoardFs(folder=tmp_path)) as device:
        assert run(device) == ["1 0 0 1 False"]
    assert (tmp_path / "marks").read_text() == "ff"


def test_full_flash_raises_enospc():
    source = """
try:
    with open('/big', 'wb') as file:
        file.write(bytes(70_000))
except OSError as error:
    print(error.errno)
"""
    with board(source, files=BoardFs(capacity_bytes=64 * 1024)) as device:
        assert run(device) == ["28"]
