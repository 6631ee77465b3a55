# What goes onto this board for each role: the roots whose imports are followed, and without: modules for parts
# that this board lacks or for messages that the role does not speak. A pure literal.
MANIFEST = {
    "base": {
        "main": "apps.base",
        "roots": ["apps.base", "board"],
        "without": [
            "apps.gnss",
            "drivers.l76k",
            "drivers.max17048",
            "groundcore.gnss",
            "groundcore.nmea",
            "groundcore.nmea_fields",
            "groundwire.finder_table",
        ],
    },
}
