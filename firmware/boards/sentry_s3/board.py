# Shop alarm: Heltec WiFi LoRa 32 V3 + Air780E core board + LIS2DW12 + PIR, siren, buzzer, case switch, mains sense.
# Why each pin is where it is: hardware/sentry_s3/README.md.
# A pure literal: the host reads it without running it.
BOARD = {
    "name": "sentry_s3",
    "product": "Heltec WiFi LoRa 32 V3 + Luat Core-Air780E + LIS2DW12 breakout + AM312 + siren",
    "chip": "esp32s3",
    "roles": ["tracker"],
    "i2c": {0: {"sda": 41, "scl": 42, "freq_hz": 400000}},
    "spi": {1: {"sck": 9, "miso": 11, "mosi": 10, "baudrate": 8000000}},
    "uart": {2: {"tx": 5, "rx": 6, "baudrate": 115200}},
    "wake_pins": [4, 14],
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
        "modem": {"part": "air780e", "uart": 2, "power_key": 38},
        "siren": {"part": "siren", "pin": 2},
        "buzzer": {"part": "buzzer", "pin": 34},
        "battery": {
            "part": "battery_adc",
            "pin": 1,
            "divider": 4.9,
            "enable": 37,
            "enable_level": 0,
            "kind": "lipo",
        },
        "supply": {
            "part": "supply_adc",
            "pin": 7,
            "divider": 11.0,
            "cut_mv": 8000,
            "nominal_mv": 12000,
            "lost": 40,
        },
        "pir": {"part": "pir", "pin": 33, "warm_up_ms": 60000, "hold_ms": 10000},
        "case": {"part": "case_switch", "pin": 39, "active_level": 1, "debounce_ms": 100, "resting_ua": 0.7},
        "led": {"part": "led", "pin": 35},
    },
}
