"""Validated input about notifications."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..people.forms import Form, Slug


class NewChannel(Form):
    name: Slug
    """As a policy's steps name it."""
    address: Annotated[str, Field(min_length=5, max_length=2000, repr=False)]
    """Apprise's URL, such as slack://…: a secret."""
