"""Validated input about people, shared by pages and commands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from reviewqueue.errors import Fault, Invalid
from reviewqueue.people.models import Role, Scope
from reviewqueue.plain_words import in_words, pointer_of

_EMAIL = re.compile(r"[^\s@<>,;:\"\\]+@[^\s@<>,;:\"\\]+")


def _email(value: str) -> str:
    value = value.strip().lower()
    if not _EMAIL.fullmatch(value) or len(value) > 254:
        raise ValueError("must be an email address")
    return value


def _name(value: str) -> str:
    value = " ".join(value.split())
    if not value or not value.isprintable():
        raise ValueError("must be a name of printable characters")
    return value


def names_in_one_field(value: Any) -> Any:
    """Names in one field, parted by spaces or commas; nothing means no limit."""
    return (
        (re.split(r"[\s,]+", value.strip()) if value.strip() else None) if isinstance(value, str) else value
    )


Email = Annotated[str, AfterValidator(_email)]
Name = Annotated[str, Field(max_length=120), AfterValidator(_name)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
Holder = Annotated[str, Field(pattern=r"^(team:[a-z0-9-]{1,64}|[^\s@]+@[^\s@]+)$", max_length=260)]
"""Who holds a role: an email address, or `team:` and the team's slug."""


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NewPerson(Form):
    email: Email
    name: Name
    is_admin: bool = False
    is_auditor: bool = False


class FirstAdmin(Form):
    email: Email
    name: Name
    password: str


class NewPassword(Form):
    current: str
    password: str


class Preferences(Form):
    """How a person likes the pages."""

    theme: Literal["system", "light", "dark"] = "system"
    keys: bool = True


class NewTeam(Form):
    slug: Slug
    name: Name


class NewKey(Form):
    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1)]
    queues: Annotated[list[Slug] | None, BeforeValidator(names_in_one_field)] = None
    """Null: all queues."""
    person: Annotated[Email | None, BeforeValidator(lambda value: value or None)] = None


class Grant(Form):
    holder: Holder
    role: Role


_Form = TypeVar("_Form", bound=Form)


def read(form: type[_Form], given: Mapping[str, Any]) -> _Form:
    """The form filled from a door's input.

    Raises Invalid with one fault a field.
    """
    try:
        return form.model_validate(dict(given))
    except ValidationError as error:
        faults = [
            Fault(pointer_of(found["loc"]), in_words(found))
            for found in error.errors(include_url=False, include_input=False)
        ]
        raise Invalid("; ".join(f"{f.pointer[1:]}: {f.detail}" for f in faults), faults=faults) from None
