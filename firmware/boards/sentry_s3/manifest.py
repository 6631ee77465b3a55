# What goes onto this board for each role: the roots whose imports are followed, and the modules that are only
# for parts this board lacks. A pure literal.
MANIFEST = {
    "tracker": {
        "main": "apps.tracker",
        "roots": ["apps.tracker", "board"],
        "without": ["apps.gnss", "drivers.l76k", "drivers.max17048"],
    },
}
