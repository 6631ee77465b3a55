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

# Names that a compiled module refers to by a number, because every interpreter has them (py/makeqstrdata.py).
_BUILT_IN = (
    *(
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
        "len",
        "id",
        "pop",
        "read",
    ),
    *(
        "write",
        "close",
        "copy",
        "find",
        "format",
        "get",
        "hash",
        "insert",
        "join",
        "keys",
        "little",
        "locals",
    ),
    *("lower", "main", "map", "next", "object", "open", "ord", "pow", "remove", "replace", "repr", "reverse"),
)
_ARITHMETIC = {
    ast.Add: int.__add__,
    ast.Sub: int.__sub__,
    ast.Mult: int.__mul__,
    ast.FloorDiv: int.__floordiv__,
    ast.Pow: pow,
    ast.LShift: int.__lshift__,
    ast.BitOr: int.__or__,
}

Trees = dict[str, ast.Module]


def shrink(texts: dict[str, str]) -> dict[str, str]:
    """The same modules by name, with fewer names.

    What they promise each other still holds; whoever else uses them finds their functions and classes only.
    """
    trees = {name: ast.parse(text, name) for name, text in texts.items()}
    _inline_constants(trees)
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


# --- constants


class _Scope:
    """The top level of one module.

    ``numbers``: constant -> its value; ``modules``: name -> the module of ours that it stands for; ``taken``:
    name -> (module of ours, its name there).
    """

    def __init__(self, tree: ast.Module, trees: Trees) -> None:
        self.numbers: dict[str, int] = {}
        self.modules: dict[str, str] = {}
        self.taken: dict[str, tuple[str, str]] = {}
        assigned = Counter(_assigned(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                self._import(node.module, node.names, trees)
        self.modules = {here: module for here, module in self.modules.items() if not assigned[here]}
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if assigned[name] == 1:
                    number = self._number(value)
                    if number is not None and name.isupper():
                        self.numbers[name] = number

    def _import(self, module: str, aliases: list[ast.alias], trees: Trees) -> None:
        for alias in aliases:
            here = alias.asname or alias.name
            if f"{module}.{alias.name}" in trees:
                self.modules[here] = f"{module}.{alias.name}"
            elif module in trees:
                self.taken[here] = (module, alias.name)

    def _number(self, node: ast.expr) -> int | None:
        """The value of an expression of whole numbers; None for any other."""
        match node:
            case ast.Constant(value=int(value)) if not isinstance(value, bool):
                return value
            case ast.Name(id=name):
                return self.numbers.get(name)
            case ast.Call(func=ast.Name(id="const"), args=[inner]):
                return self._number(inner)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                value = self._number(inner)
                return None if value is None else -value
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                a, b = self._number(left), self._number(right)
                return None if a is None or b is None else _ARITHMETIC[type(op)](a, b)
        return None


def _assigned(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


class _Inliner(ast.NodeTransformer):
    """Puts numbers in place of names and drops their definitions."""

    def __init__(self, here: _Scope, scopes: dict[str, _Scope]) -> None:
        self._here = here
        self._scopes = scopes

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            module = self._here.modules.get(node.value.id)
            if module is not None and node.attr in self._scopes[module].numbers:
                return _literal(self._scopes[module].numbers[node.attr])
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if isinstance(node.ctx, ast.Load):
            module, name = self._here.taken.get(node.id, (None, node.id))
            numbers = self._here.numbers if module is None else self._scopes[module].numbers
            if name in numbers:
                return _literal(numbers[name])
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | None:
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id in self._here.numbers:
            return None
        self.generic_visit(node)
        return node


def _literal(value: int) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


class _UnusedImports(ast.NodeTransformer):
    """Drops what is imported from our own modules and used nowhere, and `const`."""

    def __init__(self, unused: set[str]) -> None:
        self._unused = unused

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | None:
        node.names = [alias for alias in node.names if (alias.asname or alias.name) not in self._unused]
        return node if node.names else None

    def visit_Try(self, node: ast.Try) -> ast.stmt:
        return node  # whoever tries an import wants to know whether it is there


def _inline_constants(trees: Trees) -> None:
    scopes = {name: _Scope(tree, trees) for name, tree in trees.items()}
    for name, tree in trees.items():
        scope = scopes[name]
        _Inliner(scope, scopes).visit(tree)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        _UnusedImports({"const", *scope.modules, *scope.taken} - used).visit(tree)
        ast.fix_missing_locations(tree)


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
            new[argument.arg] = argument.arg = next(free)
    for node in names:
        node.id = new.get(node.id, node.id)
