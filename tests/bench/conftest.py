"""What holds on every bench, whatever the story."""

import pytest


@pytest.fixture(autouse=True)
def firmware_is_sound(request):
    """No device ended in a traceback, and no radio was told what its silicon refuses."""
    yield
    bench = request.node.funcargs.get("bench")
    for device in bench.devices.values() if bench is not None else ():
        assert "Traceback" not in device.log(), device.log()
        assert device.radio_refusals() == []
