"""Dialect of the Luat Air780 family: openLuat "AT Command Manual" for EC618/EC716/EC718, V1.6."""

# What the keys mean: modem_dialects.py. A command: at_port.py.
DIALECT = {
    "key_on_ms": 1200,  # hardware design guide: PWRKEY low for more than 1 s
    "key_off_ms": 2500,  # and for more than 1.5 s to switch off
    "boot_ms": 15000,
    "booted": (b"RDY", b"^boot"),
    "setup": (
        (b"AT+CIPSHUT", (b"SHUT OK",), (), 5000),
        (b"AT+CIPMUX=0", (b"OK",), (), 1000),
        (b"AT+CIPQSEND=1", (b"OK",), (), 1000),  # answer when the modem has the data, not the server
        (b"AT+CIPHEAD=1", (b"OK",), (), 1000),  # received data starts with +IPD,<length>:
        (b"AT+CEREG=1", (b"OK",), (), 1000),
    ),
    "wishes": (
        (b"AT+WAKETIM=5", (b"OK",), (), 1000),  # sleep after so many seconds without a byte on the UART ...
        (b"AT+CSCLK=2", (b"OK",), (), 1000),  # ... of itself; the bytes that wake it are lost
    ),
    "sleeps": True,
    "registration": ((b"AT+CEREG?", (b"OK",), (), 1000),),
    "attach": (),  # AT+CIPSTART does it
    "connect": (
        b'AT+CIPSTART="TCP","%s",%d',
        (b"CONNECT OK", b"ALREADY CONNECT"),
        (b"CONNECT FAIL",),
        (5000, 75000),
    ),
    "send": (b"AT+CIPSEND=%d", (b"DATA ACCEPT", b"SEND OK"), (b"SEND FAIL",), 15000),
    "send_max": 1460,
    "close": (b"AT+CIPCLOSE", (b"CLOSE OK",), (), 10000),
    "detach": ((b"AT+CIPSHUT", (b"SHUT OK",), (), 10000),),
    "data": (b"+IPD,", 0x3A),
    "closed": (b"CLOSED", b"+PDP"),
    "cells": (
        (b"AT+CCED=0,1", (b"OK",), (), 5000),
        (b"AT+CCED=0,2", (b"OK",), (), 5000),
    ),
    "clock": (b"AT+CCLK?", (b"OK",), (), 1000),
    "clock_is_utc": False,
    "hibernate": (b'AT+POWERMODE="PSM+"', (b"OK",), (), 2000),
    "power_down": (b"AT+CPOWD=1", (b"NORMAL POWER DOWN",), (), 10000),
}
