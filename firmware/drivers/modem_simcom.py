"""Dialect of SIMCom's A76xx and SIM7600: "A76XX Series AT Command Manual" V1.09, "SIM7500/SIM7600 Series AT Command
Manual" V2.00 and its TCP/IP application note.
"""

# What the keys mean: modem_dialects.py. A command: at_port.py.
DIALECT = {
    "key_on_ms": 600,  # SIM7600 hardware design: 500 ms; A7670: 50 ms
    "key_off_ms": 3000,  # 2.5 s
    "boot_ms": 30000,
    "booted": (b"*ATREADY", b"RDY"),
    "setup": (
        (b"AT+CIPRXGET=0", (b"OK",), (), 1000),  # received data comes by itself
        (b"AT+CIPSRIP=0", (b"OK",), (), 1000),  # without RECV FROM: before it
        (b"AT+CIPHEAD=1", (b"OK",), (), 1000),  # behind +IPD<length>
        (b"AT+CEREG=1", (b"OK",), (), 1000),
        (b"AT+CGREG=1", (b"OK",), (), 1000),  # some of them fall back to older networks
    ),
    "wishes": (
        (b"AT+CTZU=1", (b"OK",), (), 1000),  # the network sets the clock
        (b"AT+CSCLK=2", (b"OK",), (), 1000),  # A76xx: sleeps of itself; a SIM7600 needs DTR and refuses
    ),
    "sleeps": True,
    "registration": (
        (b"AT+CEREG?", (b"OK",), (), 1000),
        (b"AT+CGREG?", (b"OK",), (), 1000),
    ),
    "attach": ((b"AT+NETOPEN", (b"+NETOPEN: 0",), (b"+NETOPEN:", b"+IP ERROR"), (5000, 120000)),),
    "connect": (
        b'AT+CIPOPEN=0,"TCP","%s",%d',
        (b"+CIPOPEN: 0,0",),
        (b"+CIPOPEN: 0,", b"+IP ERROR"),
        (5000, 120000),
    ),
    "send": (b"AT+CIPSEND=0,%d", (b"+CIPSEND: 0,",), (b"+CIPERROR",), 15000),
    "send_max": 1460,
    "close": (b"AT+CIPCLOSE=0", (b"+CIPCLOSE: 0,0",), (b"+CIPCLOSE: 0,",), 15000),
    "detach": ((b"AT+NETCLOSE", (b"+NETCLOSE:",), (), 15000),),
    "data": (b"+IPD", 0x0A),
    "closed": (b"+IPCLOSE: 0", b"+CIPEVENT: NETWORK CLOSED"),
    "cells": ((b"AT+CPSI?", (b"OK",), (), 5000),),  # the serving cell alone
    "clock": (b"AT+CCLK?", (b"OK",), (), 1000),
    "clock_is_utc": False,
    "hibernate": None,
    "power_down": (b"AT+CPOF", (b"OK",), (), 10000),
}
