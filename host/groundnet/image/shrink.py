"""Makes the modules of one image small together, before they are compiled.

MicroPython keeps every name that a module uses at run time in that module's file and once more in RAM, in a table
that grows by doubling. What the modules of an image want of each other is known here, so three kinds of names need not
exist on a board:

- A constant becomes its number wherever it is used, in other modules, too, and is defined nowhere; a module that
  defined nothing else is imported no more.
- A private attribute or variable gets a short name that other modules use for theirs.
- A parameter that nobody passes by its name gets one that every interpreter has anyway.

Functions and classes keep their names: a traceback without line numbers has nothing else to say where it was.
"""

import ast
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator

from groundnet.image.fold import Trees, inline_constants

# Names that a compiled module refers to by a number, because every interpreter has them (py/makeqstrdata.py).
_BUILT_IN = (
    "key",
    "value",
    "index",
    "count",
    "start",
    "stop",
    "end",
    "sep",
    "step",
    "items",
    "id",
    "pop",
    "find",
)


def shrink(texts: dict[str, str]) -> dict[str, str]:
    """The same modules by name, with fewer names.

    What they promise each other still holds; whoever else uses them finds their functions and classes only.
    """
    trees = {name: ast.parse(text, name) for name, text in texts.items()}
    inline_constants(trees)
    _share_private_names(trees)
    _rename_parameters(trees)
    return {name: ast.unparse(tree) for name, tree in trees.items()}


def _nodes(trees: Trees) -> Iterator[ast.AST]:
    return itertools.chain.from_iterable(map(ast.walk, trees.values()))


def _bound(node: ast.AST) -> tuple[str, ...]:
    """Names that a node gives to something, other than by assignment."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
            return (name,)
        case ast.arg(arg=name) | ast.keyword(arg=str(name)):
            return (name,)
        case ast.alias(name=name, asname=other):
            return (name, other or name)
    return ()


# --- private names


def _share_private_names(trees: Trees) -> None:
    """Give names that never meet in one object or one module the same short one.

    A name keeps its replacement in all modules, so that it does not matter who reaches into whose object.
    """
    taken = {name for node in _nodes(trees) for name in _bound(node)}
    taken |= {
        node.value for node in _nodes(trees) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    groups = [_private_names(trees[name] for name in family) - taken for family in _families(trees)]
    usage = Counter(itertools.chain.from_iterable(groups))
    short: dict[str, str] = {}
    for name in sorted(usage, key=lambda name: (-usage[name], name)):
        near = {short.get(other) for group in groups if name in group for other in group}
        candidates = (f"_{number}" for number in itertools.count())
        short[name] = next(candidate for candidate in candidates if candidate not in near)
    for node in _nodes(trees):
        match node:
            case ast.Attribute(attr=name):
                node.attr = short.get(name, name)
            case ast.Name(id=name):
                node.id = short.get(name, name)
            case ast.Global(names=names):
                node.names = [short.get(name, name) for name in names]


def _private_names(trees: Iterable[ast.Module]) -> set[str]:
    nodes = list(itertools.chain.from_iterable(map(ast.walk, trees)))
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return {name for name in names if name.startswith("_") and not name.startswith("__") and name != "_"}


def _families(trees: Trees) -> list[set[str]]:
    """The modules, together with those whose classes theirs inherit from."""
    classes = [
        (name, node)
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    home = {node.name: name for name, node in classes}
    families = {name: {name} for name in trees}
    for name, node in classes:
        for base in node.bases:
            parent = home.get(base.id if isinstance(base, ast.Name) else getattr(base, "attr", ""))
            if parent is not None:
                families[name] |= families[parent]
                for member in families[name]:
                    families[member] = families[name]
    return list({id(family): family for family in families.values()}.values())


# --- parameters


def _rename_parameters(trees: Trees) -> None:
    keywords = {node.arg for node in _nodes(trees) if isinstance(node, ast.keyword)}
    for node in list(_nodes(trees)):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            _rename_own_parameters(node, keywords)


def _rename_own_parameters(function: ast.FunctionDef | ast.Lambda, keywords: set[str | None]) -> None:
    body = function.body if isinstance(function.body, list) else [function.body]
    nodes = [node for part in body for node in ast.walk(part)]
    if any(isinstance(node, ast.ClassDef | ast.Global | ast.Nonlocal) for node in nodes):
        return
    names = [node for node in nodes if isinstance(node, ast.Name)]
    inside = {name for node in nodes for name in _bound(node)}  # a function within may call its own the same
    own = {name for node in ast.walk(function.args) for name in _bound(node)}
    free = (name for name in _BUILT_IN if name not in inside | own | {node.id for node in names})
    new: dict[str, str] = {}
    for argument in [*function.args.posonlyargs, *function.args.args, function.args.vararg]:
        if argument is not None and argument.arg not in {*keywords, *inside, *_BUILT_IN, "self"}:
            new[argument.arg] = argument.arg = next(free, argument.arg)
    for node in names:
        node.id = new.get(node.id, node.id)
