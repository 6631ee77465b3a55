# What goes onto this board for each role: the roots whose imports are followed, and without: modules for parts
# that this board lacks or for messages that the role does not speak. A pure literal.
MANIFEST = {
    "finder": {
        "main": "apps.finder",
        "roots": ["apps.finder", "board"],
        "without": [
            "drivers.max17048",
            "drivers.pir",
            "groundwire.report_table",
            "groundwire.station_table",
            "groundwire.update_table",
        ],
    },
}
