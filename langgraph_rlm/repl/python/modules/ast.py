"""`ast`: the syntax trees of source code. The host parses; the nodes here are plain objects."""

_kind_of = {}
_get, _set, _has = __rlm__["getattr"], __rlm__["setattr"], __rlm__["hasattr"]
"""As they are: nodes have no properties, and there are many of them."""


def _kinds(names):
    made = [type(name, (), {}) for name in names.split()]
    for kind in made:
        _kind_of[kind.__name__] = kind
    return made


_EXPRESSIONS = (
    "BoolOp NamedExpr BinOp UnaryOp Lambda IfExp Dict Set ListComp SetComp DictComp GeneratorExp Await Yield "
    "YieldFrom Compare Call FormattedValue JoinedStr Constant Attribute Subscript Starred Name List Tuple "
    "Slice"
)
(
    BoolOp,
    NamedExpr,
    BinOp,
    UnaryOp,
    Lambda,
    IfExp,
    Dict,
    Set,
    ListComp,
    SetComp,
    DictComp,
    GeneratorExp,
    Await,
    Yield,
    YieldFrom,
    Compare,
    Call,
    FormattedValue,
    JoinedStr,
    Constant,
    Attribute,
    Subscript,
    Starred,
    Name,
    List,
    Tuple,
    Slice,
) = expr = tuple(_kinds(_EXPRESSIONS))
_STATEMENTS = (
    "FunctionDef AsyncFunctionDef ClassDef Return Delete Assign AugAssign AnnAssign For AsyncFor While If With "
    "AsyncWith Match Raise Try TryStar Assert Import ImportFrom Global Nonlocal Expr Pass Break Continue "
    "TypeAlias"
)
(
    FunctionDef,
    AsyncFunctionDef,
    ClassDef,
    Return,
    Delete,
    Assign,
    AugAssign,
    AnnAssign,
    For,
    AsyncFor,
    While,
    If,
    With,
    AsyncWith,
    Match,
    Raise,
    Try,
    TryStar,
    Assert,
    Import,
    ImportFrom,
    Global,
    Nonlocal,
    Expr,
    Pass,
    Break,
    Continue,
    TypeAlias,
) = stmt = tuple(_kinds(_STATEMENTS))
_OTHERS = (
    "Module Expression Interactive Load Store Del And Or Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr "
    "BitXor BitAnd FloorDiv Invert Not UAdd USub Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn comprehension "
    "ExceptHandler arguments arg keyword alias withitem match_case MatchValue MatchSingleton MatchSequence "
    "MatchMapping MatchClass MatchStar MatchAs MatchOr TypeVar ParamSpec TypeVarTuple"
)
(
    Module,
    Expression,
    Interactive,
    Load,
    Store,
    Del,
    And,
    Or,
    Add,
    Sub,
    Mult,
    MatMult,
    Div,
    Mod,
    Pow,
    LShift,
    RShift,
    BitOr,
    BitXor,
    BitAnd,
    FloorDiv,
    Invert,
    Not,
    UAdd,
    USub,
    Eq,
    NotEq,
    Lt,
    LtE,
    Gt,
    GtE,
    Is,
    IsNot,
    In,
    NotIn,
    comprehension,
    ExceptHandler,
    arguments,
    arg,
    keyword,
    alias,
    withitem,
    match_case,
    MatchValue,
    MatchSingleton,
    MatchSequence,
    MatchMapping,
    MatchClass,
    MatchStar,
    MatchAs,
    MatchOr,
    TypeVar,
    ParamSpec,
    TypeVarTuple,
) = _kinds(_OTHERS)
AST = tuple(_kind_of.values())
"""A tuple, as `expr` and `stmt` are: what `isinstance` takes."""


def parse(source, filename="<unknown>", mode="exec"):
    """The tree of `source`, of at most 200,000 characters and 100,000 nodes."""
    fields, records = __rlm__["standard"]("ast.parse", source, mode)
    for kind, names in fields.items():
        _kind_of[kind]._fields = tuple(names)
    nodes = [_kind_of[record[0]]() for record in records]
    for node, (kind, plain, inner, lists) in zip(nodes, records):
        for name, value in plain.items():
            _set(node, name, value)
        for name, place in inner.items():
            _set(node, name, nodes[place])
        for name, places in lists.items():
            _set(node, name, [None if place is None else nodes[place] for place in places])
        if kind == "Constant" and "value" not in plain:
            node.value = ...
    return nodes[0]


def iter_fields(node):
    return [(name, _get(node, name)) for name in node._fields]


def iter_child_nodes(node):
    found = []
    for _, value in iter_fields(node):
        found += [item for item in (value if isinstance(value, list) else [value]) if _has(item, "_fields")]
    return found


def walk(node):
    """The node and all below it, the upper ones first."""
    found = [node]
    for node in found:
        found += iter_child_nodes(node)
    return found


class NodeVisitor:
    """Calls `visit_…` of each node's kind, `generic_visit` where there is none."""

    def visit(self, node):
        return getattr(self, "visit_" + type(node).__name__, self.generic_visit)(node)

    def generic_visit(self, node):
        for child in iter_child_nodes(node):
            self.visit(child)


class NodeTransformer(NodeVisitor):
    """Puts what `visit` gives in the place of each node: None takes it out, a list puts several there."""

    def generic_visit(self, node):
        for name, value in iter_fields(node):
            if isinstance(value, list):
                value[:] = [new for item in value for new in self._in_place_of(item)]
            elif _has(value, "_fields"):
                _set(node, name, self.visit(value))
        return node

    def _in_place_of(self, item):
        if not _has(item, "_fields"):
            return [item]
        new = self.visit(item)
        return new if isinstance(new, list) else [] if new is None else [new]


def unparse(node):
    nodes, records = [node], []
    for node in nodes:
        records.append([type(node).__name__, {name: _part(value, nodes) for name, value in iter_fields(node)}])
    return __rlm__["standard"]("ast.unparse", records)


def _part(value, nodes):
    if _has(value, "_fields"):
        nodes.append(value)
        return ["node", len(nodes) - 1]
    if isinstance(value, list):
        return ["list", [_part(item, nodes) for item in value]]
    return ["ellipsis"] if value is ... else ["value", value]


def literal_eval(source):
    return __rlm__["standard"]("ast.literal_eval", source)


def get_docstring(node, clean=True):
    if not isinstance(node, (FunctionDef, AsyncFunctionDef, ClassDef, Module)):
        raise TypeError(repr(type(node).__name__) + " can't have docstrings")
    first = node.body[0] if node.body else None
    is_text = isinstance(first, Expr) and isinstance(first.value, Constant) and isinstance(first.value.value, str)
    if not is_text:
        return None
    return _clean(first.value.value) if clean else first.value.value


def _clean(text):
    """Without the indent that its lines share, but for the first, and without blank lines around."""
    first, *rest = text.expandtabs().split("\n")
    indents = [len(line) - len(line.lstrip()) for line in rest if line.strip()]
    indent = min(indents, default=0)
    lines = [first.lstrip()] + [line[indent:].rstrip() if not line.strip() else line[indent:] for line in rest]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return "\n".join(lines)


def get_source_segment(source, node, *, padded=False):
    """The text of a node."""
    if not _has(node, "end_lineno"):
        return None
    lines = [line.encode() for line in source.splitlines(True)][node.lineno - 1 : node.end_lineno]
    lines[-1] = lines[-1][: node.end_col_offset]
    lines[0] = lines[0][node.col_offset :]
    return b"".join(lines).decode()


def dump(node, annotate_fields=True, include_attributes=False, *, indent=None):
    """All of a tree on one line."""
    if isinstance(node, list):
        return "[" + ", ".join([dump(item, annotate_fields) for item in node]) + "]"
    if not _has(node, "_fields"):
        return repr(node)
    parts = [(name, value) for name, value in iter_fields(node) if value is not None or name == "value"]
    shown = [(name + "=" if annotate_fields else "") + dump(value, annotate_fields) for name, value in parts]
    return type(node).__name__ + "(" + ", ".join(shown) + ")"
