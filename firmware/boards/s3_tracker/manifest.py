# What goes onto this board for each role: the roots whose imports are followed. A pure literal.
MANIFEST = {
    "tracker": {"main": "apps.tracker", "roots": ["apps.tracker", "board"]},
}
