# What goes onto this board for each role: the roots whose imports are followed, and the modules that are only
# for parts this board lacks. A pure literal.
MANIFEST = {
    "tag": {
        "main": "apps.tag",
        "roots": ["apps.tag", "board"],
        "without": [
            "apps.extras",
            "apps.inputs",
            "drivers.max17048",
            "groundwire.report_table",
            "groundwire.station_table",
        ],
    },
}
