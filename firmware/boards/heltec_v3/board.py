# Base station: Heltec WiFi LoRa 32 V3 as it comes out of the box; backhaul over Wi-Fi.
# Pins: the maker's schematic, see hardware/heltec_v3/README.md.
# A pure literal: the host reads it without running it.
BOARD = {
    "name": "heltec_v3",
    "product": "Heltec WiFi LoRa 32 V3",
    "chip": "esp32s3",
    "roles": ["base"],
    "i2c": {},
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
