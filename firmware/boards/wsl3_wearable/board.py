# Wearable tag: Heltec Wireless Stick Lite V3 + LIS2DW12 and MAX17048 breakouts, SOS button, strap loop, motor.
# Why each pin is where it is: hardware/wsl3_wearable/README.md.
# A pure literal: the host reads it without running it.
BOARD = {
    "name": "wsl3_wearable",
    "product": "Heltec Wireless Stick Lite V3 + LIS2DW12 and MAX17048 breakouts + vibration motor",
    "chip": "esp32s3",
    "roles": ["tag"],
    "i2c": {0: {"sda": 41, "scl": 42, "freq_hz": 400000}},
    "spi": {1: {"sck": 9, "miso": 11, "mosi": 10, "baudrate": 8000000}},
    "uart": {},
    "wake_pins": [4, 5, 6, 14],
    "settings": {"battery_empty_mv": 3500, "battery_full_mv": 4150},
    "parts": {
        "accelerometer": {"part": "lis2dw12", "i2c": 0, "address": 25, "int1": 4},
        "radio": {
            "part": "sx1262",
            "spi": 1,
            "cs": 8,
            "busy": 13,
            "dio1": 14,
            "reset": 12,
            "tcxo_mv": 1800,
            "dio2_rf_switch": True,
        },
        "battery": {"part": "max17048", "i2c": 0, "address": 54, "kind": "lipo400"},
        "button": {"part": "button", "pin": 5, "active_level": 1, "hold_ms": 1500},
        "strap": {"part": "strap", "pin": 6, "active_level": 1, "debounce_ms": 200, "resting_ua": 0.7},
        "vibration": {"part": "vibration", "pin": 7},
    },
}
