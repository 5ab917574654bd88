"""What every kind is made of: models, rules that hold in Python and in CEL, and a kind's description.

A `Rule` is written once and checked twice: by the API server (CEL, generated into the CRD) and here, so that an
object that reached the operator past an older or missing CRD is refused with the same words. Unknown fields are
ignored: the API server prunes them, and an older operator must be able to read a newer object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from presage.core.resource_type import ResourceType

GROUP = "presage.dev"
VERSION = "v1alpha1"
CATEGORY = "presage"

VALIDATIONS = "x-kubernetes-validations"
_MAX_PROBLEMS = 5


class InvalidSpecError(ValueError):
    """An object that does not follow its schema; the message names each field, rule and limit."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A constraint that the schema's bounds cannot say.

    Used as `Annotated` metadata of a field, in `Model.rules` for rules across fields, and in `ResourceMeta.rules`
    for rules on the whole object.

    Attributes:
        cel: the rule as the API server checks it; `self` is the value.
        message: what the user reads; names field, rule and limit.
        check: the same rule on the parsed value.
    """

    cel: str
    message: str
    check: Callable[[Any], bool]

    def as_validation(self) -> dict[str, str]:
        """Return the entry for `x-kubernetes-validations`."""
        return {"rule": self.cel, "message": self.message}

    def enforce(self, value: Any) -> Any:
        """Return the value, or refuse it with this rule's message."""
        if not self.check(value):
            raise PydanticCustomError("rule", "{message}", {"message": self.message})
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.enforce, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        written = handler(schema)
        written.setdefault(VALIDATIONS, []).append(self.as_validation())
        return written


def full_match(pattern: str, message: str) -> Rule:
    """Return the rule that a string matches the whole pattern.

    Args:
        pattern: a regular expression in the common part of RE2 and Python, without anchors or quotes.
        message: what the user reads.
    """
    compiled = re.compile(pattern)
    return Rule(f"self.matches(r'^(?:{pattern})$')", message, lambda text: compiled.fullmatch(text) is not None)


class Model(BaseModel):
    """Base of every part of a custom resource: camelCase outside, snake_case inside, frozen."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        validate_default=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _follow_rules(self) -> Self:
        for rule in self.rules:
            rule.enforce(self)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        reference = handler(schema)
        if cls.rules:
            handler.resolve_ref_schema(reference)[VALIDATIONS] = [rule.as_validation() for rule in cls.rules]
        return reference


M = TypeVar("M", bound=Model)


def defaulted(model: type[M], description: str) -> M:
    """Declare a field that holds a model whose own defaults fill it when it is left out.

    Args:
        model: the model; every field of it must have a default.
        description: what the user reads.
    """
    # Written out: the API server checks rules on a default before it fills in the defaults inside.
    default = model().model_dump(mode="json", by_alias=True, exclude_none=True)
    declared: M = Field(default_factory=model, description=description, json_schema_extra={"default": default})
    return declared


class Condition(Model):
    """One observation about an object, as in the Kubernetes API conventions."""

    type: str = Field(
        description="Name of the condition.", min_length=1, max_length=316, pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$"
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether the condition holds.")
    observed_generation: int = Field(ge=0, description="Generation of the spec that this observation is about.")
    last_transition_time: str = Field(
        description="When the status last changed (RFC 3339).", json_schema_extra={"format": "date-time"}
    )
    reason: str = Field(
        description="Why, as one CamelCase word that programs may compare.",
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
    )
    message: str = Field(description="Why, in words, and what to do about it.", max_length=1024)


def _conditions() -> tuple[Condition, ...]:
    declared: tuple[Condition, ...] = Field(
        default=(),
        max_length=16,
        description="Latest observations, one of each type.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    return declared


class Status(Model):
    """What every status begins with."""

    observed_generation: int | None = Field(
        default=None, ge=0, description="Generation of the spec that this status is about."
    )
    conditions: tuple[Condition, ...] = _conditions()


class ObjectMeta(Model):
    """The part of an object's metadata that presage reads."""

    name: str
    namespace: str | None = None
    uid: str = ""
    generation: int = 0
    annotations: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PrinterColumn:
    """One column of `kubectl get`."""

    name: str
    type: Literal["string", "integer", "number", "boolean", "date"]
    json_path: str
    description: str
    priority: int = 0


@dataclass(frozen=True, slots=True)
class ResourceMeta:
    """How a kind is named and shown.

    Attributes:
        kind: singular, PascalCase.
        plural: lower case, as in URLs.
        scope: whether objects live in a namespace.
        description: one sentence for `kubectl explain`.
        short_names: what may be typed instead of the plural.
        columns: extra columns of `kubectl get`.
        rules: rules on the whole object; only `metadata.name` of the metadata is visible to them.
        categories: groups for `kubectl get <category>`.
    """

    kind: str
    plural: str
    scope: Literal["Namespaced", "Cluster"]
    description: str
    short_names: tuple[str, ...]
    columns: tuple[PrinterColumn, ...]
    rules: tuple[Rule, ...] = ()
    categories: tuple[str, ...] = (CATEGORY,)
    group: str = GROUP
    version: str = VERSION

    @property
    def singular(self) -> str:
        """The kind in lower case."""
        return self.kind.lower()

    @property
    def resource(self) -> ResourceType:
        """The kind as a type of the API."""
        return ResourceType(self.group, self.version, self.plural, self.kind, self.scope == "Namespaced")

    @property
    def crd_name(self) -> str:
        """Name of the CustomResourceDefinition."""
        return f"{self.plural}.{self.group}"


class Resource(Model):
    """Base of every kind. Subclasses set `meta` and declare `spec` and `status`."""

    meta: ClassVar[ResourceMeta]

    metadata: ObjectMeta

    @model_validator(mode="after")
    def _follow_object_rules(self) -> Self:
        for rule in self.meta.rules:
            rule.enforce(self)
        return self

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> Self:
        """Read an object as the API server returns it; its status is left out.

        Args:
            manifest: the object, with `metadata` and `spec`.

        Raises:
            InvalidSpecError: if a field is missing, of the wrong type or out of bounds, or a rule is broken.
        """
        parts = {key: manifest[key] for key in ("metadata", "spec") if key in manifest}
        try:
            return cls.model_validate(parts)
        except ValidationError as error:
            raise InvalidSpecError(describe(error)) from None


def describe(error: ValidationError) -> str:
    """Put a validation error in one line: `field: what is wrong`, at most five of them.

    Values are not repeated: they may be long or secret.
    """
    found = {each["loc"]: each["msg"] for each in error.errors(include_url=False, include_input=False)}
    # A list with a bad entry is also reported as too short; the entry itself says more.
    problems = [f"{_path(at)}: {says}" for at, says in found.items() if not any(_inside(other, at) for other in found)]
    shown = problems[:_MAX_PROBLEMS]
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    return "; ".join(shown)


def _inside(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".") or "object"
