# What goes onto this board for each role: the roots whose imports are followed, and the modules that are only
# for parts this board lacks. A pure literal.
MANIFEST = {
    "base": {
        "main": "apps.base",
        "roots": ["apps.base", "board"],
        "without": ["drivers.max17048"],
    },
}
