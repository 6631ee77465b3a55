"""machine.Pin."""

import operations as op
from _board import call, on_interrupt
from micropython import const

_LEAVE = const(255)

_made = {}


class Pin:
    """One GPIO. The same number always gives the same object, as on the ESP32."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    def __new__(cls, gpio, *args, **kwargs):
        if isinstance(gpio, Pin):
            return gpio
        pin = _made.get(gpio)
        if pin is None:
            if not 0 <= gpio <= 48:
                raise ValueError("invalid pin")
            pin = _made[gpio] = super().__new__(cls)
            pin.gpio = gpio
        return pin

    def __init__(self, gpio, mode=None, pull=_LEAVE, *, value=None, drive=None, hold=None):
        if mode is not None or pull != _LEAVE or value is not None:
            self.init(mode, pull, value=value)

    def init(self, mode=None, pull=_LEAVE, *, value=None, drive=None, hold=None) -> None:
        setting = bytes(
            (
                _LEAVE if mode is None else mode,
                0 if pull is None or pull == -1 else pull,
                _LEAVE if value is None else 1 if value else 0,
            )
        )
        call(op.PIN_SETUP, self.gpio, setting)

    def value(self, level=None):
        if level is None:
            return call(op.PIN_READ, self.gpio)
        call(op.PIN_WRITE, self.gpio * 2 + (1 if level else 0))

    def __call__(self, level=None):
        return self.value(level)

    def on(self) -> None:
        self.value(1)

    def off(self) -> None:
        self.value(0)

    def toggle(self) -> None:
        self.value(1 - self.value())

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING, wake=None, hard=False):
        on_interrupt(op.INTERRUPT_PIN, self.gpio, handler, self)
        call(op.PIN_INTERRUPT, self.gpio, bytes((trigger if handler else 0, trigger if wake else 0)))
        return self

    def __repr__(self):
        return f"Pin({self.gpio})"
