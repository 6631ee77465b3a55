# What goes onto this board for each role: the roots whose imports are followed. A pure literal.
MANIFEST = {
    "tag": {"main": "apps.tag", "roots": ["apps.tag", "board"]},
}
