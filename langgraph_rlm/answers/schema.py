"""Typed answers: values that satisfy a schema, and how they are read from what a model writes.

The schema may come from the user, who is trusted, or from code in the REPL, which is not: see `checked_schema`.
jsonschema is imported where a schema is there: most runs have none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import Any

from pydantic import TypeAdapter, ValidationError

from langgraph_rlm.answers.json_in_text import json_values, text_in_tag
from langgraph_rlm.answers.values import plain
from langgraph_rlm.errors import InvalidInput, RLMError

MOST_ERRORS = 5
MOST_SCHEMA, MOST_NESTED, MOST_INNER = 20_000, 30, 100
"""Characters of a schema that code in the REPL may give, schemas in each other, and schemas in it altogether."""
WORDS = {
    *("type", "enum", "const", "required", "title", "description", "default", "examples", "format"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems"),
}
"""Keywords that such a schema may have, checked as fast as a value is read: no patterns, no references."""
HOLDS_ONE, HOLDS_LIST = {"items", "additionalProperties"}, {"prefixItems", "anyOf", "oneOf", "allOf"}
KINDS = {"object": dict, "array": list}
SAYS_SOMETHING = {"type", "properties", "enum", "const", "items", *HOLDS_LIST}
"""A schema that has none of these says nothing about a value, as a rule because it is none."""


class Unfit(RLMError):
    """An answer does not satisfy the schema that was asked for. The message says how."""


@dataclass(frozen=True)
class AnswerSchema:
    """What an answer has to be: a JSON schema, and a check, which gives the value as users get it or raises `Unfit`."""

    schema: dict[str, Any]
    check: Callable[[Any], Any]

    @classmethod
    def of(cls, response_format: Any) -> AnswerSchema:
        """The schema that a Pydantic model, a dataclass, a `TypedDict` or a JSON schema describes.

        Raises:
            InvalidInput: It is none of these.
        """
        from jsonschema import SchemaError

        try:
            if isinstance(response_format, dict):
                dialect = _dialect_of(response_format)
                dialect.check_schema(response_format)
                if not dialect.VALIDATORS.keys() & response_format.keys():
                    raise SchemaError("it says nothing of the answer")
                answer_schema = cls.of_schema(response_format)
            else:
                adapter = TypeAdapter(response_format)
                answer_schema = cls(adapter.json_schema(), partial(_validated, adapter))
            with suppress(Unfit):
                answer_schema.check(None)  # a reference to what is not there shows only when something is checked
        except SchemaError as error:
            raise InvalidInput(f"response_format is no JSON schema: {error.message}") from None
        except Exception as error:  # pydantic has one for each way of not being a type
            raise InvalidInput(
                f"response_format={response_format!r}: a Pydantic model or a JSON schema is needed ({error})."
            ) from None
        return answer_schema

    @classmethod
    def of_schema(cls, schema: dict[str, Any]) -> AnswerSchema:
        """What a JSON schema asks for, which is known to be one."""
        validator = cache(partial(_validator_of, schema))

        def check(value: Any) -> Any:
            try:
                errors = list(islice(validator().iter_errors(value), MOST_ERRORS + 1))
            except RecursionError:
                raise Unfit("it is nested too deeply.") from None
            if errors:
                raise Unfit(_listed([f"{error.json_path}: {error.message[:200]}" for error in errors]))
            return value

        return cls(schema, check)

    def conform(self, value: Any) -> Any:
        """A value of the code's, or what it says in JSON where it is a str, once it satisfies the schema.

        It stays as it is: what `check` makes of it cannot be stored. Raises `Unfit`.
        """
        try:
            self.check(value)
            return value
        except Unfit:
            if not isinstance(value, str):
                raise
            return self._said(value)

    def read(self, reply: str) -> Any:
        """What a model's reply says in JSON, once it satisfies the schema; or its text, where a text is all it takes.

        Raises `Unfit`.
        """
        try:
            return self._said(reply)
        except Unfit as unfit:
            for text in (text_in_tag(reply), reply, reply.strip()):
                with suppress(Unfit):
                    self.check(text)
                    return text
            raise unfit

    def _said(self, text: str) -> Any:
        """The last value in a text that satisfies the schema. What is wrong is told of the last of its kind."""
        try:
            values = json_values(text)
        except ValueError as none:
            raise Unfit(str(none)) from None
        kind, nearest = KINDS.get(str(self.schema.get("type")), object), None
        for value in reversed(values):
            try:
                said = plain(value)
                self.check(said)
                return said
            except (TypeError, Unfit) as mismatch:
                if nearest is None or (isinstance(value, kind) and not isinstance(nearest[0], kind)):
                    nearest = value, str(mismatch)
        assert nearest is not None
        raise Unfit(nearest[1])


def checked_schema(given: object) -> dict[str, Any]:
    """A schema that code in the REPL gives, if it can be used. Raises `TypeError` or `ValueError`."""
    from jsonschema import Draft202012Validator, SchemaError

    schema = plain(given) if isinstance(given, dict) else {}
    text = json.dumps(schema, allow_nan=False)
    if len(text) > MOST_SCHEMA:
        raise ValueError(f"the schema has {len(text):,} characters, and {MOST_SCHEMA:,} are allowed")
    if not SAYS_SOMETHING & schema.keys():
        raise ValueError(
            'the schema must be a JSON schema, such as {"type": "object", "properties": {"name": {"type": "string"}}, '
            '"required": ["name"]}'
        )
    if _inner(schema, MOST_NESTED) > MOST_INNER:
        raise ValueError(f"the schema has more than {MOST_INNER} schemas in it")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"no JSON schema: {error.message[:200]}") from None
    return schema


def _inner(schema: Any, room: int) -> int:
    """How many schemas there are in a schema. Raises `ValueError` for too many in each other, and other keywords."""
    if not room:
        raise ValueError(f"the schema has more than {MOST_NESTED} schemas in each other")
    count = 0
    for word, value in schema.items() if isinstance(schema, dict) else ():
        if word == "properties" and isinstance(value, dict):
            inner = list(value.values())
        elif word in HOLDS_LIST and isinstance(value, list):
            inner = value
        elif word in HOLDS_ONE:
            inner = [value]
        elif word in WORDS:
            inner = []
        else:
            raise ValueError(f"{word!r} cannot be in a schema here: check that with Python")
        count += sum(1 + _inner(part, room - 1) for part in inner)
    return count


def _dialect_of(schema: dict[str, Any]) -> Any:
    """The validator of the draft that a schema says it is of, else of the latest."""
    from jsonschema import Draft202012Validator, validators

    return validators.validator_for(schema, default=Draft202012Validator)


def _validator_of(schema: dict[str, Any]) -> Any:
    from referencing import Registry

    return _dialect_of(schema)(schema, registry=Registry())


def _validated(adapter: TypeAdapter[Any], value: Any) -> Any:
    try:
        return adapter.validate_json(json.dumps(value))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise Unfit(_listed([f"{'.'.join(map(str, e['loc'])) or 'the value'}: {e['msg']}" for e in found])) from None
    except Exception as error:  # of a validator that did not expect such a value
        raise Unfit(f"{type(error).__name__}: {error}") from error


def _listed(errors: list[str]) -> str:
    more = ["and more"] if len(errors) > MOST_ERRORS else []
    return "\n".join([*errors[:MOST_ERRORS], *more])
