"""Which family speaks which dialect. A dialect is a table of literals in a file of its own, with these keys:

key_on_ms, key_off_ms: how long PWRKEY is low; boot_ms: until it must answer; booted: lines that only a start
says; setup: commands that must succeed; wishes: commands that may be refused; sleeps: the first bytes after a
pause may be lost; registration: commands that ask for it; attach, connect, send, send_max, close, detach: the
one TCP connection; data: what announces received bytes, and the byte before the first of them; closed: lines
that end the connection; cells: commands whose lines ``cell_lines`` reads; clock, clock_is_utc;
hibernate: forget everything until woken by the UART, or None; power_down.
"""

# What AT+CGMM, or the part's name on a board, begins with.
_FAMILIES = (
    ("luatos", (b"AIR7",)),
    ("simcom", (b"A76", b"SIM76", b"SIMCOM_SIM76", b"SIMCOM_A76")),
    ("quectel", (b"EC", b"EG", b"QUECTEL")),
)


def find(model: bytes) -> dict | None:
    """The dialect of a model, as it names itself or as a board names it; None for an unknown one.

    Only the family that is asked for takes memory.
    """
    name = model.strip(b' "').upper()
    for family, beginnings in _FAMILIES:
        for beginning in beginnings:
            if name.startswith(beginning):
                return _load(family)
    return None


def _load(family: str) -> dict:
    if family == "simcom":
        from drivers.modem_simcom import DIALECT
    elif family == "quectel":
        from drivers.modem_quectel import DIALECT
    else:
        from drivers.modem_luatos import DIALECT
    return DIALECT
