"""groundwire: the codec of the groundnet network, one source for MicroPython and CPython.

Three layers, one module each: `frame` (link frames), `messages` (what they carry), `beacon` and
`downlink` (what goes over the air). `keys` derives and uses the secrets, `session` authenticates a link,
`report` signs what a tracker says. protocol/README.md is the specification.

This package imports nothing by itself: a tag loads only the modules that it uses.
"""

PROTOCOL_VERSION = 1  # major version of frames, beacons and downlinks spoken by this code
