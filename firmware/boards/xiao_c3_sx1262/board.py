# Tag: Seeed XIAO ESP32C3 + Heltec HT-RA62 (SX1262) + LIS2DW12 breakout.
# Why each pin is where it is: hardware/xiao_c3_sx1262/README.md.
# A pure literal: the host reads it without running it.
BOARD = {
    "name": "xiao_c3_sx1262",
    "product": "Seeed XIAO ESP32C3 + Heltec HT-RA62 + LIS2DW12 breakout",
    "chip": "esp32c3",
    "roles": ["tag"],
    "i2c": {0: {"sda": 6, "scl": 7, "freq_hz": 400000}},
    "spi": {1: {"sck": 21, "miso": 9, "mosi": 10, "baudrate": 8000000}},
    "uart": {},
    "wake_pins": [3, 5],
    "parts": {
        "accelerometer": {"part": "lis2dw12", "i2c": 0, "address": 25, "int1": 5},
        "radio": {
            "part": "sx1262",
            "spi": 1,
            "cs": 8,
            "busy": 20,
            "dio1": 3,
            "reset": 2,
            "tcxo_mv": 1800,
            "dio2_rf_switch": True,
        },
        "battery": {"part": "battery_adc", "pin": 4, "divider": 2.0, "kind": "er14505"},
    },
}
