"""Makes the device logic importable: `import groundcore` in these tests is the firmware's own package."""

from groundnet.sim import groundcore_runtime

groundcore_runtime.load("nmea")
