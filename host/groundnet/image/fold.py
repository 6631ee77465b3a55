"""Constants of modules that are known to each other, as the numbers that they are."""

import ast
from collections import Counter
from collections.abc import Iterator

Trees = dict[str, ast.Module]

_ARITHMETIC = {
    ast.Add: int.__add__,
    ast.Sub: int.__sub__,
    ast.Mult: int.__mul__,
    ast.FloorDiv: int.__floordiv__,
    ast.Pow: pow,
    ast.LShift: int.__lshift__,
    ast.BitOr: int.__or__,
}


class _Scope:
    """The top level of one module.

    ``numbers``: constant -> its value; ``modules``: name -> the module of ours that it stands for; ``taken``:
    name -> (module of ours, its name there).
    """

    def __init__(self, tree: ast.Module, trees: Trees) -> None:
        self.numbers: dict[str, int] = {}
        self.modules: dict[str, str] = {}
        self.taken: dict[str, tuple[str, str]] = {}
        self._unclear: set[str] = set()  # names that stand for different things in different functions
        assigned = Counter(_assigned(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                self._import(node.module, node.names, trees)
        for here in [*self.modules, *self.taken]:
            if assigned[here] or here in self._unclear:
                self.modules.pop(here, None)
                self.taken.pop(here, None)
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if assigned[name] == 1:
                    number = self._number(value)
                    if number is not None and name.isupper():
                        self.numbers[name] = number

    def _import(self, module: str, aliases: list[ast.alias], trees: Trees) -> None:
        for alias in aliases:
            here, whole = alias.asname or alias.name, f"{module}.{alias.name}"
            if whole in trees:
                clear = self.modules.setdefault(here, whole) == whole and here not in self.taken
            elif module in trees:
                place = (module, alias.name)
                clear = self.taken.setdefault(here, place) == place and here not in self.modules
            else:
                clear = here not in self.modules and here not in self.taken
            if not clear:
                self._unclear.add(here)

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
    """Puts numbers in place of names."""

    def __init__(self, here: _Scope, scopes: dict[str, _Scope]) -> None:
        self._here = here
        self._scopes = scopes

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            module = self._here.modules.get(node.value.id)
            number = None if module is None else self._number(self._scopes[module], node.attr)
            return node if number is None else _literal(number)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        number = self._number(self._here, node.id) if isinstance(node.ctx, ast.Load) else None
        return node if number is None else _literal(number)

    def _number(self, scope: _Scope, name: str) -> int | None:
        """What a name stands for, here or in a module that it was taken from."""
        if name in scope.taken:
            module, name = scope.taken[name]
            return self._number(self._scopes[module], name)
        return scope.numbers.get(name)


def _literal(value: int) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


class _Sweeper(ast.NodeTransformer):
    """Drops imports and definitions of names that nobody uses."""

    def __init__(self, imports: set[str], numbers: set[str]) -> None:
        self._imports = imports
        self._numbers = numbers

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        node.names = [alias for alias in node.names if (alias.asname or alias.name) not in self._imports]
        return node if node.names else ast.Pass()

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        target = node.targets[0]
        return ast.Pass() if isinstance(target, ast.Name) and target.id in self._numbers else node

    def visit_Try(self, node: ast.Try) -> ast.stmt:
        return node  # whoever tries an import wants to know whether it is there


def inline_constants(trees: Trees) -> None:
    """Put a number wherever a constant of these modules is used, and drop definitions and imports that nobody needs."""
    scopes = {name: _Scope(tree, trees) for name, tree in trees.items()}
    for name, tree in trees.items():
        _Inliner(scopes[name], scopes).visit(tree)
    asked = _asked(trees, scopes)
    for name, tree in trees.items():
        scope, names = scopes[name], _names(tree)
        used = names | {inner for module, inner in asked if module == name}
        _Sweeper((scope.modules.keys() | scope.taken.keys()) - used, set()).visit(tree)
    spoken = set().union(*map(_spoken, trees.values()))
    for name, tree in trees.items():
        _Sweeper(set(), scopes[name].numbers.keys() - spoken).visit(tree)
        _Sweeper({"const"} - _names(tree), set()).visit(tree)
        ast.fix_missing_locations(tree)


def _names(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _spoken(tree: ast.Module) -> set[str]:
    """Names that a module may still ask another for."""
    nodes = list(ast.walk(tree))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {
        alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def _asked(trees: Trees, scopes: dict[str, _Scope]) -> set[tuple[str, str]]:
    """(module, name in it) of all that others use, also of what is only handed on."""
    asked: set[tuple[str, str]] = set()
    waiting = [use for name, tree in trees.items() for use in _uses(tree, scopes[name])]
    while waiting:
        module, name = use = waiting.pop()
        if use not in asked and name in scopes[module].taken:
            waiting.append(scopes[module].taken[name])
        asked.add(use)
    return asked


def _uses(tree: ast.Module, scope: _Scope) -> Iterator[tuple[str, str]]:
    names = _names(tree)
    yield from (use for here, use in scope.taken.items() if here in names)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=here), attr=name) if here in scope.modules:
                yield scope.modules[here], name
