"""Parts that only some boards have. A board without any leaves this module out of its image (see its manifest)."""


def add_extras(loop, hardware, known: int = 0) -> None:
    """Make each of these parts that the board's literal has; only then its code is loaded.

    Args:
        known: inputs that were active before a deep sleep, see apps.inputs.active_inputs.
    """
    has = hardware.part
    if has("siren") or has("buzzer"):
        from apps.alarm import Siren

        for name in ("siren", "buzzer"):
            if has(name):
                loop.add(name, lambda name=name: Siren(loop, hardware, name))
    if has("vibration"):
        from apps.vibration import Vibration

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
