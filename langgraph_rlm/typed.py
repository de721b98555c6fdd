"""Typed answers: values that satisfy a schema, asked of models that write text.

The schema may come from the user, who is trusted, or from code in the REPL, which is not: see `checked_schema`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.utils.json import parse_json_markdown
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from referencing import Registry

from langgraph_rlm.calls import Ask, Replied, add_usages
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import InvalidInput, RLMError
from langgraph_rlm.ledger import NOTHING, Usage

REPAIRS = 2
"""How often a model may correct a reply that does not satisfy the schema."""
MOST_ERRORS = 5
MOST_SCHEMA = 20_000
"""Characters of a schema that code in the REPL may give."""
REFUSED = {"$ref", "$dynamicRef", "$recursiveRef", "pattern", "patternProperties"}
"""What a schema from the REPL may not hold: with it, checking an answer takes as long as its author wants it to."""
NAMED = ("properties", "$defs", "definitions", "dependentSchemas")
"""Keywords whose schemas are under names."""
DATA = ("enum", "const", "default", "examples", "required")
"""Keywords that hold no schemas."""
KNOWN = ("type", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "prefixItems")
"""A schema that has none of these says nothing about a value, as a rule because it is none."""


class Unfit(RLMError):
    """An answer does not satisfy the schema that was asked for. The message says how."""


@dataclass(frozen=True)
class Form:
    """What an answer has to be: a JSON schema, and a check that gives the value as users get it, or raises `Unfit`."""

    schema: dict[str, Any]
    check: Callable[[Any], Any]

    @classmethod
    def of(cls, response_format: Any) -> Form:
        """The form that a Pydantic model, a dataclass, a `TypedDict` or a JSON schema describes.

        Raises:
            InvalidInput: It is none of these.
        """
        if isinstance(response_format, dict):
            try:
                jsonschema.Draft202012Validator.check_schema(response_format)
            except jsonschema.SchemaError as error:
                raise InvalidInput(f"response_format is no JSON schema: {error.message}") from None
            return cls.of_schema(response_format)
        try:
            adapter = TypeAdapter(response_format)
            return cls(adapter.json_schema(), lambda value: _validated(adapter, value))
        except (PydanticUserError, TypeError, NameError) as error:
            raise InvalidInput(
                f"response_format={response_format!r}: a Pydantic model or a JSON schema is needed ({error})."
            ) from None

    @classmethod
    def of_schema(cls, schema: dict[str, Any]) -> Form:
        """The form that a JSON schema describes, which is known to be one."""
        validator = jsonschema.Draft202012Validator(schema, registry=Registry())

        def check(value: Any) -> Any:
            try:
                errors = sorted(validator.iter_errors(value), key=lambda error: error.json_path)
            except RecursionError:
                raise Unfit("it is nested too deeply.") from None
            if errors:
                raise Unfit(_listed([f"{error.json_path}: {error.message[:200]}" for error in errors]))
            return value

        return cls(schema, check)

    def fitted(self, value: Any) -> Any:
        """`value`, or what it says in JSON where it is a str, once it satisfies the form. Raises `Unfit`."""
        try:
            self.check(value)
            return value
        except Unfit:
            if not isinstance(value, str):
                raise
            try:
                said = parse_json_markdown(value)
            except (ValueError, RecursionError):
                raise Unfit("it is no JSON.") from None
            self.check(said)
            return said


def checked_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that code in the REPL gives, if it can be used. Raises `ValueError`."""
    text = json.dumps(schema)
    if len(text) > MOST_SCHEMA:
        raise ValueError(f"the schema has {len(text):,} characters, and {MOST_SCHEMA:,} are allowed")
    if not any(word in schema for word in KNOWN):
        raise ValueError(
            'the schema must be a JSON schema, such as {"type": "object", "properties": {"name": {"type": "string"}}, '
            '"required": ["name"]}'
        )
    if refused := REFUSED & set(_keywords(schema)):
        raise ValueError(f"{', '.join(sorted(refused))} cannot be in a schema here: check that with Python")
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ValueError(f"no JSON schema: {error.message[:200]}") from None
    return schema


def instruction(form: Form) -> str:
    """What a model is told that is to answer in a form."""
    return f"Reply with JSON and nothing else. It has to satisfy this JSON schema:\n{json.dumps(form.schema)}"


def asking(
    ask: Callable[[Sequence[AnyMessage]], Ask], messages: Sequence[AnyMessage], form: Form
) -> Steps[tuple[Any, Usage]]:
    """A model's answer in a form, corrected at most `REPAIRS` times, and what all of it used. Raises `Unfit`."""
    conversation = [SystemMessage(instruction(form)), *messages]
    usage: Usage = {}
    for tries_left in reversed(range(REPAIRS + 1)):
        replied: Replied = yield ask(conversation)
        usage = add_usages(usage, replied.usage)
        try:
            return form.fitted(replied.text), usage
        except Unfit as unfit:
            if not tries_left:
                unfit.rlm_spent = {**NOTHING, "usage": usage}  # type: ignore[attr-defined]
                raise
            told = f"That does not satisfy the schema:\n{unfit}\nReply with the corrected JSON and nothing else."
            conversation += [AIMessage(replied.text), HumanMessage(told)]
    raise AssertionError("the last try returns or raises")


def _keywords(schema: Any) -> Iterator[str]:
    """The keywords of a schema and of those in it."""
    if isinstance(schema, list):
        for item in schema:
            yield from _keywords(item)
    elif isinstance(schema, dict):
        yield from schema
        for word, value in schema.items():
            if word in NAMED and isinstance(value, dict):
                yield from _keywords(list(value.values()))
            elif word not in DATA:
                yield from _keywords(value)


def _validated(adapter: TypeAdapter[Any], value: Any) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise Unfit(_listed([f"{'.'.join(map(str, e['loc'])) or 'the value'}: {e['msg']}" for e in found])) from None


def _listed(errors: list[str]) -> str:
    more = [f"and {len(errors) - MOST_ERRORS} more"] if len(errors) > MOST_ERRORS else []
    return "\n".join([*errors[:MOST_ERRORS], *more])
