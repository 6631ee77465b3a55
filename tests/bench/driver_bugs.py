"""Deliberate mistakes, one line each, of the kind that people make in drivers: each must make a test fail.

`tools/bench_driver_bugs.py` puts them into a copy of the sources one by one and runs the tests named beside the driver;
`make bench` tells the share that is caught. Here only what keeps the list true is tested: each line is still there.
"""

from typing import NamedTuple


class Bug(NamedTuple):
    """``before`` is found once in firmware/drivers/<driver>.py; ``after`` takes its place."""

    driver: str
    what: str
    before: str
    after: str


# driver -> the tests that know it
TESTS = {
    "battery_adc": ("tests/drivers/test_small_parts.py", "tests/drivers/test_battery_kinds.py"),
    "cell_lines": ("tests/drivers/test_cell_lines.py",),
    "contact": ("tests/drivers/test_inputs.py", "tests/drivers/test_input_parts.py"),
    "flash_records": ("tests/drivers/test_flash_records.py",),
    "flash_ring": ("tests/drivers/test_flash_ring.py",),
    "l76k": ("tests/drivers/test_l76k.py",),
    "led": ("tests/drivers/test_small_parts.py",),
    "lis2dw12": ("tests/drivers/test_lis2dw12.py",),
    "max17048": ("tests/drivers/test_max17048.py",),
    "network_time": (
        "tests/drivers/test_modem_families.py",
        "tests/drivers/test_cell_lines.py",
        "tests/drivers/test_air780e.py",
    ),
    "pir": ("tests/drivers/test_inputs.py",),
    "siren": ("tests/drivers/test_small_parts.py",),
    "sms_deliver": ("tests/drivers/test_at_reader.py",),
    "sms_pdu": ("tests/drivers/test_sms_pdu.py",),
    "sms_text": (
        "tests/drivers/test_sms_pdu.py",
        "tests/drivers/test_modem_families.py",
        "tests/drivers/test_air780e.py",
    ),
    "ssd1306": ("tests/drivers/test_ssd1306.py",),
    "supply_adc": ("tests/drivers/test_inputs.py", "tests/drivers/test_small_parts.py"),
    "sx1262": ("tests/drivers/test_sx1262.py",),
    "sx1262_cad": ("tests/drivers/test_sx1262.py",),
    "sx1262_gfsk": ("tests/drivers/test_sx1262.py",),
    "sx1262_port": ("tests/drivers/test_sx1262.py",),
    "sx1262_watch": ("tests/drivers/test_sx1262.py",),
    "at_reader": ("tests/drivers/test_at_reader.py",),
    "at_port": ("tests/drivers/test_air780e.py",),
    "console": ("tests/drivers/test_console.py",),
    "tcp_link": ("tests/drivers/test_tcp_link.py",),
    "tls_link": ("tests/drivers/test_tls.py",),
    "ble_scan": ("tests/drivers/test_ble.py",),
    "sx1262_turns": ("tests/drivers/test_sx1262.py",),
}

BUGS = (
    Bug("battery_adc", "the divider is not rounded", "int(divider * 1000 + 0.5)", "int(divider) * 1000"),
    Bug(
        "battery_adc",
        "the divider stays connected",
        "self._enable(1 - self._enable_level)\n        return",
        "return",
    ),
    Bug("battery_adc", "no time to settle", "time.sleep_ms(_SETTLE_MS)", "pass"),
    Bug("cell_lines", "every cell serves", 'serving = 1 if fields[0] == b"0" else 0', "serving = 1"),
    Bug("cell_lines", "no layout is ever found", "_LAYOUTS.get(name)", '_LAYOUTS.get(name + b" ")'),
    Bug(
        "contact",
        "no debouncing",
        ">= self._debounce_ms:\n            return self._turn(not",
        ">= 0:\n            return self._turn(not",
    ),
    Bug(
        "contact",
        "the level is upside down",
        "return self._pin() == self._active_level",
        "return self._pin() != self._active_level",
    ),
    Bug(
        "contact",
        "a hold is told again and again",
        "            self._held_from = None\n            return HELD",
        "            return HELD",
    ),
    Bug("flash_records", "the older copy wins", "copy[0] > self._sequence", "copy[0] < self._sequence"),
    Bug(
        "flash_records",
        "the good copy is written over",
        "slot = 0 if self._slot else 1",
        "slot = 1 if self._slot else 0",
    ),
    Bug(
        "flash_ring",
        "a segment is filled beyond its end",
        "self._used + len(packed) + _HEADER_BYTES + len(record) >",
        "self._used + len(packed) + len(record) >",
    ),
    Bug(
        "flash_ring",
        "segments are looked at in any order",
        "self._numbers = sorted([",
        "self._numbers = list([",
    ),
    Bug("l76k", "standby without its limit", "if not 1 <= seconds <= 65535:", "if seconds < 0:"),
    Bug(
        "l76k",
        "it forgets that it has to be told its sentences",
        "        self.running = True\n        self._told = False",
        "        self.running = True",
    ),
    Bug(
        "led",
        "the light is upside down",
        "self._on_level if self._step % 2 == 0 else",
        "self._on_level if self._step % 2 else",
    ),
    Bug("led", "off leaves it as it was", "self._pin(1 - self._on_level)\n\n", "pass\n\n"),
    Bug("lis2dw12", "samples are not signed", "word -= 0x10000", "word -= 0"),
    Bug(
        "lis2dw12",
        "little endian is big endian",
        "raw[2 * index] | raw[2 * index + 1] << 8",
        "raw[2 * index + 1] | raw[2 * index] << 8",
    ),
    Bug("lis2dw12", "another data rate than asked for", "12500: 0x20", "12500: 0x30"),
    Bug("lis2dw12", "another part is taken for it", "_ID = const(0x44)", "_ID = const(0x33)"),
    Bug("max17048", "the charge is a percentage", "* 10 // 256", "* 1 // 256"),
    Bug("max17048", "a falling charge rises", "rate - 0x10000 if rate & 0x8000 else rate", "rate"),
    Bug(
        "max17048",
        "bytes are swapped",
        "self._word[0] << 8 | self._word[1]",
        "self._word[1] << 8 | self._word[0]",
    ),
    Bug("network_time", "the time zone is added", "seconds - quarters * 900", "seconds + quarters * 900"),
    Bug("network_time", "centuries are leap years", "- year // 100 ", ""),
    Bug(
        "pir",
        "believed while it warms up",
        "                return NOTHING\n            self._ready = True",
        "                pass\n            self._ready = True",
    ),
    Bug(
        "pir",
        "nobody ever leaves",
        ">= self._hold_ms:\n            self.active = False",
        ">= self._hold_ms << 20:\n            self.active = False",
    ),
    Bug("siren", "no limit to a burst", "min(duration_ms, self._burst_ms - self._heat())", "duration_ms"),
    Bug(
        "siren",
        "it does not cool down",
        "passed_ms if self._on else -passed_ms",
        "passed_ms if self._on else 0",
    ),
    Bug(
        "sms_deliver",
        "an alphanumeric sender is a number",
        "kind & _TON_MASK == _ALPHANUMERIC",
        "kind & _TON_MASK == 0x77",
    ),
    Bug("sms_pdu", "septets of a part too many", "160, 153, _pack_septets", "160, 160, _pack_septets"),
    Bug(
        "sms_pdu",
        "a local number is international",
        'number.startswith("+") else 0x81',
        'number.startswith("+") else 0x91',
    ),
    Bug(
        "sms_text",
        "a long text goes in one message",
        "len(units) <= 2 * _PER_MESSAGE",
        "len(units) <= 4 * _PER_MESSAGE",
    ),
    Bug("ssd1306", "pages are written where the last one was", "self._range[4] = page", "pass"),
    Bug("ssd1306", "everything is sent each time", "if self._known and new[", "if False and new["),
    Bug(
        "ssd1306",
        "what was lost with its supply is taken for shown",
        "        self._known = False\n        self._send",
        "        self._send",
    ),
    Bug("supply_adc", "no hysteresis", "* _RETURN_PERCENT // 100", "* 1 // 1"),
    Bug(
        "supply_adc",
        "the line of the cut is upside down",
        "if self._lost is not None and self._lost():",
        "if self._lost is not None and not self._lost():",
    ),
    Bug(
        "sx1262",
        "the image is never calibrated",
        "if low_mhz <= frequency_mhz <= high_mhz and",
        "if False and",
    ),
    Bug(
        "sx1262",
        "the frequency is a little off",
        "(frequency_hz << 25) // 32_000_000",
        "(frequency_hz << 25) // 32_001_000",
    ),
    Bug("sx1262", "over-current limit of another power", "bytes((limit,))", "bytes((0x08,))"),
    Bug(
        "sx1262",
        "the level is twice as strong",
        "self.rssi_dbm = -(answer[2] >> 1)",
        "self.rssi_dbm = -answer[2]",
    ),
    Bug("sx1262", "interrupts are not cleared", "self.command(_CLEAR_IRQ, irq >> 8, irq & 0xFF)", "pass"),
    Bug("sx1262", "what is longer than its place is read", "if length > len(into):", "if False:"),
    Bug("sx1262", "sleep loses its settings", "0x04 if retain else 0", "0"),
    Bug(
        "at_reader",
        "a prompt in a line is taken for one",
        "byte == _PROMPT and not length and",
        "byte == _PROMPT and",
    ),
    Bug(
        "at_reader",
        "rubbish is a line",
        "            if not _SPACE <= line[index] < 0x7F:",
        "            if False:",
    ),
    Bug("at_reader", "data runs over its buffer", "if self._data_to + count > len(self._data):", "if False:"),
    Bug("tcp_link", "a peer that closed is still there", "if count == 0:  # the peer closed", "if False:"),
    Bug(
        "tcp_link",
        "never a time-out",
        "elif time.ticks_diff(self._deadline_ms, time.ticks_ms()) <= 0:",
        "elif False:",
    ),
    Bug("sx1262_port", "BUSY is not waited for", "if not self._busy():\n            return", "return"),
    Bug(
        "sx1262_port",
        "registers above 255 are lost",
        "1, register >> 8, register & 0xFF",
        "1, 0, register & 0xFF",
    ),
    Bug(
        "sx1262_cad",
        "never any activity",
        "chip.take_interrupts() & _CAD_DETECTED",
        "chip.take_interrupts() & 0",
    ),
    Bug("sx1262_gfsk", "the deviation is twice as wide", "(deviation_hz << 25)", "(deviation_hz << 26)"),
    Bug("sx1262_gfsk", "listen before talk hears nothing", ">= threshold_dbm for", ">= 0 for"),
    Bug("sx1262_watch", "asleep, and talked to without waking", "chip.asleep = True", "chip.asleep = False"),
    Bug(
        "at_port",
        "a command never times out",
        "if time.ticks_diff(self._deadline_ms, now_ms) <= 0:",
        "if False:",
    ),
    Bug(
        "console",
        "Ctrl-C ends a frame",
        "        micropython.kbd_intr(-1)\n        self._stdout.write(_OPEN)",
        "        self._stdout.write(_OPEN)",
    ),
    Bug("console", "a silent link stays open", "if self.open and self.due_ms() == 0:", "if False:"),
    Bug("tls_link", "any certificate will do", "= ssl.CERT_REQUIRED", "= ssl.CERT_NONE"),
    Bug("tls_link", "a refusal is not told", '"certificate refused: " + str(error).strip()', '""'),
    Bug("ble_scan", "a full ring writes over what waits", ">= _SLOTS:", ">= 2 * _SLOTS:"),
    Bug("ble_scan", "a scan that ended stays ended", "        if self._ended:", "        if False:"),
    Bug("ble_scan", "levels are positive", ", -self._ring[at]", ", self._ring[at]"),
    Bug(
        "sx1262_turns",
        "LoRa has sync words",
        "if chip.spreading_factor else",
        "if not chip.spreading_factor else",
    ),
    Bug("sx1262_turns", "no frame ever begins", "return bool(irq & (begun | _RX_DONE))", "return False"),
)
