# Finder: Heltec WiFi LoRa 32 V3 with its own display, a button and a piezo buzzer; held in the hand.
# Pins: the maker's schematic, see hardware/heltec_v3_finder/README.md.
# A pure literal: the host reads it without running it.
BOARD = {
    "name": "heltec_v3_finder",
    "product": "Heltec WiFi LoRa 32 V3 + button + piezo buzzer",
    "chip": "esp32s3",
    "roles": ["finder"],
    "i2c": {0: {"sda": 17, "scl": 18, "freq_hz": 400000}},
    "spi": {1: {"sck": 9, "miso": 11, "mosi": 10, "baudrate": 8000000}},
    "uart": {},
    "wake_pins": [],
    "settings": {"battery_empty_mv": 3500, "battery_full_mv": 4150},
    "parts": {
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
        "display": {
            "part": "ssd1306",
            "i2c": 0,
            "address": 60,
            "reset": 21,
            "enable": 36,
            "enable_level": 0,
        },
        "button": {"part": "button", "pin": 7, "active_level": 1, "pull": "down"},
        "buzzer": {"part": "buzzer", "pin": 6, "chirp_ms": 40},
        "battery": {
            "part": "battery_adc",
            "pin": 1,
            "divider": 4.9,
            "enable": 37,
            "enable_level": 0,
            "kind": "lipo",
        },
        "led": {"part": "led", "pin": 35},
    },
}
