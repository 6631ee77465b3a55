"""Parts that only some boards have. A board without any leaves this module out of its image (see its manifest)."""

NAMES = ("siren", "buzzer", "vibration", "led", "button", "strap", "case", "pir", "supply")


def add_extras(loop, hardware, known: int = 0) -> None:
    """Make each of these parts that the board's literal has; only then its code is loaded.

    Args:
        known: inputs that were active before a deep sleep, see apps.inputs.active_inputs.
    """
    has = hardware.part
    for name in ("siren", "buzzer"):
        if has(name):
            from apps.alarm import Siren

            loop.add(name, lambda: Siren(loop, hardware, name))  # noqa: B023  add calls it at once
    if has("vibration"):
        from apps.alarm import Vibration

        loop.add("vibration", lambda: Vibration(hardware))
    if has("led"):
        from apps.alarm import Light

        loop.add("led", lambda: Light(hardware))
    if has("button") or has("strap") or has("case") or has("pir"):
        from apps.inputs import add_inputs

        add_inputs(loop, hardware, known)
    if has("supply"):
        from apps.supply import Supply

        loop.add("supply", lambda: Supply(loop, hardware))
