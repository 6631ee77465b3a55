# What goes onto this board for each role: the roots whose imports are followed, and without: modules for parts
# that this board lacks or for messages that the role does not speak. A pure literal.
MANIFEST = {
    "tag": {
        "main": "apps.tag",
        "roots": ["apps.tag", "board"],
        "without": [
            "apps.base_image",
            "apps.alarm",
            "apps.supply",
            "drivers.battery_adc",
            "drivers.pir",
            "drivers.sx1262_watch",
            "groundwire.finder_table",
            "groundwire.report_table",
            "groundwire.station_table",
            "groundwire.update_table",
        ],
    },
}
