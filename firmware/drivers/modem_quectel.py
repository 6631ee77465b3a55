"""Dialect of Quectel's EC800, EG800, EG915 and EC200: the AT commands manual of that series and
"EC200x&EG800K&EG91xN&EG912Y&EG950A Series TCP/IP Application Note" V1.4.
"""

# What the keys mean: modem_dialects.py. A command: at_port.py.
DIALECT = {
    "key_on_ms": 2100,  # EG915 hardware design: 2 s; EC800: 700 ms
    "key_off_ms": 3500,  # 3 s; EC800: 650 ms
    "boot_ms": 20000,
    "booted": (b"RDY",),
    "setup": (
        (b'AT+QICSGP=1,1,""', (b"OK",), (), 1000),  # context 1, IPv4, the SIM's own access point
        (b"AT+CEREG=1", (b"OK",), (), 1000),
        (b"AT+CGREG=1", (b"OK",), (), 1000),
    ),
    "wishes": (
        (b"AT+QICLOSE=0", (b"OK",), (), 12000),  # a connection that outlived the microcontroller's reset
        (b"AT+CTZU=3", (b"OK",), (), 1000),  # the network sets the clock
        (b"AT+QSCLK=2", (b"OK",), (), 1000),  # EC800: sleeps of itself; others need DTR and refuse
    ),
    "sleeps": True,
    "registration": (
        (b"AT+CEREG?", (b"OK",), (), 1000),
        (b"AT+CGREG?", (b"OK",), (), 1000),
    ),
    "attach": ((b"AT+QIACT=1", (b"OK",), (), 150000),),
    "connect": (b'AT+QIOPEN=1,0,"TCP","%s",%d,0,1', (b"+QIOPEN: 0,0",), (b"+QIOPEN: 0,",), (5000, 150000)),
    "send": (b"AT+QISEND=0,%d", (b"SEND OK",), (b"SEND FAIL",), 15000),
    "send_max": 1460,
    "close": (b"AT+QICLOSE=0", (b"OK",), (), 12000),
    "detach": ((b"AT+QICLOSE=0", (b"OK",), (), 12000), (b"AT+QIDEACT=1", (b"OK",), (), 40000)),
    "data": (b'+QIURC: "recv",0,', 0x0A),
    "closed": (b'+QIURC: "closed",0', b'+QIURC: "pdpdeact",1'),
    "cells": (
        (b'AT+QENG="servingcell"', (b"OK",), (), 5000),
        (b'AT+QENG="neighbourcell"', (b"OK",), (), 5000),
    ),
    "clock": (b"AT+QLTS=1", (b"OK",), (), 1000),  # UTC, unlike +CCLK
    "clock_is_utc": True,
    "hibernate": None,
    "power_down": (b"AT+QPOWD=1", (b"POWERED DOWN",), (), 10000),
}
