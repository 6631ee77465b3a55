# What goes onto this board for each role: the roots whose imports are followed, and the modules that are only
# for parts this board lacks. A pure literal.
MANIFEST = {
    "tag": {
        "main": "apps.tag",
        "roots": ["apps.tag", "board"],
        "without": [
            "apps.supply",
            "drivers.battery_adc",
            "drivers.pir",
            "groundwire.report_table",
            "groundwire.station_table",
        ],
    },
}
