# What goes onto this board for each role: the roots whose imports are followed, and the modules that are only
# for parts this board lacks. A pure literal.
MANIFEST = {
    "finder": {
        "main": "apps.finder",
        "roots": ["apps.finder", "board"],
        "without": ["apps.supply", "drivers.max17048", "drivers.pir"],
    },
}
