# What goes onto this board for each role: the roots whose imports are followed. A pure literal.
MANIFEST = {
    "base": {"main": "apps.base", "roots": ["apps.base", "board"]},
}
