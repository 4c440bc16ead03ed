"""The types that a policy's `condition` may use, generated from our own: `Context` and everything in it.

Source: the Common Expression Language (cel.dev), google/protobuf/descriptor.proto. An expression is checked against
messages of these names and fields, so that a misspelt field is found when the policy is read. It is then evaluated on
plain maps that lack what is not known, where a message would give a default instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from msgspec import inspect
from msgspec.structs import replace

from scc_responder.domain.context import Context
from scc_responder.policy.cel import NOT_TOLD, NOT_TOLD_OF, RENAMED, in_cidr_function

PACKAGE = "scc"
_WELL_KNOWN = {inspect.DateTimeType: "Timestamp", inspect.TimeDeltaType: "Duration"}
_TEXTS = inspect.StrType | inspect.EnumType | inspect.LiteralType
_SUBSET = """
stdlib:
  exclude_macros: [has]
  exclude_functions:
    - {name: dyn}
    - {name: type}
    - {name: _==_}
    - {name: _!=_}
    - {name: "@in"}
    - {name: _<_, overloads: [{id: less_string}]}
    - {name: _<=_, overloads: [{id: less_equals_string}]}
    - {name: _>_, overloads: [{id: greater_string}]}
    - {name: _>=_, overloads: [{id: greater_equals_string}]}
"""
"""`has` and `dyn` would let an expression hold because something is missing; equality is declared anew below.

Texts have no order: `CRITICAL` would come before `HIGH`.
"""


@cache
def variables() -> dict[str, inspect.Type]:
    """Every fact that a condition may name, and its type."""
    context_type = inspect.type_info(Context)
    assert isinstance(context_type, inspect.StructType)  # noqa: S101 - for the type checker
    given = {field.name: _given(field.type) for field in context_type.fields if field.name not in NOT_TOLD}
    return {RENAMED.get(name, name): kind for name, kind in given.items()}


@cache
def fields() -> dict[str, tuple[str, ...]]:
    """The fields of each type, by its name."""
    return {kind.cls.__name__: tuple(field.name for field in kind.fields) for kind in _structs()}


@cache
def checker() -> Any:
    """The environment that checks an expression."""
    from cel_expr_python import cel  # noqa: PLC0415 - only a policy with a condition needs it
    from cel_expr_python.ext.ext_strings import ExtStrings  # noqa: PLC0415 - as above

    kinds = {name: _signature(kind) for name, kind in variables().items()}
    return cel.NewEnv(
        _pool(),
        config=cel.NewEnvConfigFromYaml(_SUBSET),
        variables={name: cel.Type(kind) for name, kind in kinds.items()},
        functions=[*_comparisons(cel), in_cidr_function(cel)],
        extensions=[ExtStrings()],
    )


def _comparisons(cel: Any) -> list[Any]:
    """Equality of plain values only: two records that lack the same fact would be equal, or differ, for lack of it."""
    kind = cel.Type
    plain = [kind.STRING, kind.INT, kind.DOUBLE, kind.BOOL, kind.TIMESTAMP, kind.DURATION, kind.List(kind.STRING)]
    pairs = [(kind_of_value, kind_of_value) for kind_of_value in plain]
    within = [(kind_of_value, kind.List(kind_of_value)) for kind_of_value in plain[:3]] + [
        (kind.STRING, kind("map<string, string>"))
    ]
    return [
        cel.FunctionDecl(
            name,
            [
                cel.Overload(id=f"{label}_{index}", return_type=kind.BOOL, parameters=list(given), is_member=False)
                for index, given in enumerate(parameters)
            ],
        )
        for name, label, parameters in (("_==_", "same", pairs), ("_!=_", "differ", pairs), ("@in", "within", within))
    ]


def _given(kind: inspect.Type) -> inspect.Type:
    """The type of a value that is known: `X | None` is X."""
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        kinds = [member for member in kind.types if not isinstance(member, inspect.NoneType)]
        return kinds[0] if len(kinds) == 1 else kind
    return kind


def _structs() -> Iterator[inspect.StructType]:
    """Every record within the context, each once."""
    structs: dict[str, inspect.StructType] = {}
    waiting = list(variables().values())
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, inspect.StructType) and kind.cls.__name__ not in structs:
            hidden = NOT_TOLD_OF.get(kind.cls, ())
            told = tuple(field for field in kind.fields if field.name not in hidden)
            structs[kind.cls.__name__] = replace(kind, fields=told)
            waiting += [_given(field.type) for field in told]
        elif isinstance(kind, inspect.DictType):
            waiting.append(_given(kind.value_type))
        elif isinstance(kind, inspect.VarTupleType | inspect.ListType):
            waiting.append(_given(kind.item_type))
    return iter(structs.values())


def _signature(kind: inspect.Type) -> str:
    """The type as CEL writes it. Raises TypeError for one that no condition could use: leave it to `NOT_TOLD`."""
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return f"list<{_signature(_given(kind.item_type))}>"
    if isinstance(kind, inspect.DictType):
        return f"map<string, {_signature(_given(kind.value_type))}>"
    if isinstance(kind, inspect.StructType):
        return f"{PACKAGE}.{kind.cls.__name__}"
    if type(kind) in _WELL_KNOWN:
        return f"google.protobuf.{_WELL_KNOWN[type(kind)]}"
    simple = {inspect.IntType: "int", inspect.FloatType: "double", inspect.BoolType: "bool"}
    if isinstance(kind, _TEXTS):
        return "string"
    if type(kind) in simple:
        return simple[type(kind)]
    raise TypeError(f"no condition could use a value of {kind}")


def _pool() -> Any:
    """The protobuf descriptors of our types, in a separate pool."""
    from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, timestamp_pb2  # noqa: PLC0415 - as above

    file = descriptor_pb2.FileDescriptorProto(name="scc.proto", package=PACKAGE, syntax="proto3")
    pool = descriptor_pool.DescriptorPool()
    for descriptor in (timestamp_pb2, duration_pb2):
        pool.AddSerializedFile(descriptor.DESCRIPTOR.serialized_pb)
        file.dependency.append(descriptor.DESCRIPTOR.name)
    for kind in _structs():
        message = file.message_type.add(name=kind.cls.__name__)
        for number, field in enumerate(kind.fields, start=1):
            _add(message, field.name, number, _given(field.type))
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def _add(message: Any, name: str, number: int, kind: inspect.Type) -> None:
    """One field of a message: a map is a repeated entry of key and value, as the protocol has it."""
    field = message.field.add(name=name, number=number, label=1)
    if isinstance(kind, inspect.DictType):
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _add(entry, "key", 1, inspect.StrType())
        _add(entry, "value", 2, _given(kind.value_type))
        field.label, field.type, field.type_name = 3, 11, f".{PACKAGE}.{message.name}.{entry.name}"
        return
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        field.label, kind = 3, _given(kind.item_type)
    signature = _signature(kind)
    scalar = {"string": 9, "int": 3, "double": 1, "bool": 8}
    field.type = scalar.get(signature, 11)
    if field.type == 11:
        field.type_name = f".{signature}"
