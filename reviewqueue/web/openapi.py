"""The Flask app that also speaks OpenAPI: strict bodies in, problem documents out, one complete description."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

from flask import Flask, Request, current_app, render_template, request
from flask_openapi.models.info import Info
from flask_openapi.models.security_scheme import SecurityScheme
from flask_openapi.openapi import OpenAPI
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import override

from reviewqueue.errors import BadRequest, Fault, Invalid, TooLarge, UnsupportedMedia
from reviewqueue.plain_words import in_words, pointer_of
from reviewqueue.web.requests import public
from reviewqueue.web.strict_json import loads

API = "/api/v1"
BEARER: list[dict[str, list[str]]] = [{"key": []}]
"""The `security` of every operation: a key."""

_PROBLEMS = {
    "400": "The request is not understood, or its body is not JSON",
    "401": "No key, or one that is not known",
    "403": "The key may not do this",
    "404": "Not there, or out of the key's reach",
    "413": "The body is too large",
    "415": "The body is not JSON",
    "422": "The input is not valid",
    "429": "The key calls too often",
    "500": "Something broke on our side",
    "503": "Not available just now; try again in a moment",
}
_CONFLICT = {"409": "The state does not allow it"}
_STALE = {"412": "The item has changed since you saw it, or the claim is no longer yours"}
_UNFENCED = {"428": "Neither the claim's token nor `If-Match` was sent"}
_ITEM_ACTS = (
    "claim", "reopening", "recall", "escalation", "deescalation", "acknowledgement", "snooze", "assignment",
    "withdrawal",
)  # fmt: skip
_SUBSCRIPTION_ACTS = ("pause", "resumption", "rotation", "test", "replay")
_MORE_PROBLEMS: dict[tuple[str, str], dict[str, str]] = {
    ("post", "/items"): _CONFLICT,
    **dict.fromkeys((("post", f"/items/{{item_id}}/{act}") for act in _ITEM_ACTS), _CONFLICT),
    ("patch", "/items/{item_id}/claim"): _CONFLICT | _STALE | _UNFENCED,
    ("delete", "/items/{item_id}/claim"): _CONFLICT | _STALE,
    ("post", "/items/{item_id}/decision"): _CONFLICT | _STALE | _UNFENCED,
    ("delete", "/items/{item_id}/decision"): _CONFLICT,
    ("patch", "/subscriptions/{subscription_id}"): _CONFLICT,
    ("delete", "/subscriptions/{subscription_id}"): _CONFLICT,
    **dict.fromkeys(
        (("post", f"/subscriptions/{{subscription_id}}/{act}") for act in _SUBSCRIPTION_ACTS), _CONFLICT
    ),
}
"""What only some operations answer. Nothing else may be answered: there is no `default` to hide it behind."""
_WHEN_TO_GO_ON = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "RateLimit": {
        "description": (
            'Calls that are left to the key, and the seconds until there are more: `"per-key";r=0;t=42`. With '
            "`RateLimit-Policy` on every answer to a key while the operator sets a limit."
        ),
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": 'Calls that a key has in how many seconds: `"per-key";q=600;w=60`.',
        "schema": {"type": "string"},
    },
}

MORE_PARAMETERS = "x-more-parameters"
"""In an operation's `openapi_extensions`: headers and queries that the view reads itself, told beside its path's."""


class FaultDocument(BaseModel):
    """One thing that is wrong with the input."""

    pointer: str = Field(description="JSON pointer to the place in the body; empty: the whole.")
    detail: str


class Problem(BaseModel, extra="allow"):
    """An RFC 9457 problem document."""

    type: str = Field(description="`/problems/<slug>`: a page that explains it.")
    title: str
    status: int
    detail: str
    errors: list[FaultDocument]
    request_id: str | None


class Query(BaseModel):
    """The query of a call. Its schema is made once: flask-openapi asks for it on every request."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        return super().model_json_schema(*args, **options) if args or options else _schema_of(cls)


@cache
def _schema_of(query: type[Query]) -> dict[str, Any]:
    return super(Query, query).model_json_schema()


class StrictRequest(Request):
    """A request whose JSON is read strictly, and whose refusals are never silent."""

    _value: dict[str, Any] | list[Any] | None = None

    @override
    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The body's value.

        Raises UnsupportedMedia, TooLarge, NotJson, or Invalid for a body that is neither object nor array. `silent`
        is ignored on purpose: the framework asks silently, and would then validate a broken body as if it were null.
        """
        if self._value is None:
            if not force and not self.is_json:
                raise UnsupportedMedia("Send the body as application/json.")
            value = loads(self.get_data())
            # The framework would read a string as JSON once more.
            if not isinstance(value, dict | list):
                raise Invalid("The body must be a JSON object.", faults=[Fault("", "must be an object")])
            self._value = value
        return self._value

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        raise BadRequest(str(e))


class App(OpenAPI):
    """The application. `app.register_api(blueprint)` adds API operations, `register_blueprint` pages."""

    request_class = StrictRequest

    def __init__(self, import_name: str, **options: Any) -> None:
        super().__init__(
            import_name,
            info=Info(
                title="reviewqueue",
                version=_version(),
                summary="A review desk for AI outputs.",
                description=(
                    "Apps enqueue AI outputs; policy decides which a human must see; people accept, edit or reject "
                    "them; apps get the outcome. Send a key: `Authorization: Bearer rq_…`. Every error is an "
                    "RFC 9457 problem document."
                ),
            ),
            security_schemes={"key": SecurityScheme(type="http", scheme="bearer")},
            validation_error_model=Problem,
            validation_error_callback=refuse_invalid,
            doc_ui=False,
            **options,
        )
        self.openapi_version = "3.1.0"

    def generate_spec_json(self) -> None:
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        for path, operations in self.spec_json["paths"].items():
            for method, operation in operations.items():
                _complete(operation, more_problems(method, path))


def register(app: Flask) -> None:
    app.add_url_rule(f"{API}/openapi.json", "openapi_document", public(lambda: current_app.api_doc))  # type: ignore[attr-defined]
    app.add_url_rule("/api/docs", "api_docs", public(lambda: render_template("web/api_docs.html", api=API)))


def refuse_invalid(error: ValidationError) -> NoReturn:
    """Raises Invalid with a JSON pointer for each thing that is wrong."""
    faults = [
        Fault(pointer_of(found["loc"]), in_words(found))
        for found in error.errors(include_url=False, include_input=False)
    ]
    first = faults[0]
    more = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
    raise Invalid(f"{first.pointer or 'The body'} {first.detail}.{more}", faults=faults) from None


def more_problems(method: str, path: str) -> dict[str, str]:
    """The statuses that only some operations answer a refusal with, and what each means."""
    return _MORE_PROBLEMS.get((method, _CONVERTER.sub("{", path.removeprefix(API))), {})


_CONVERTER = re.compile(r"\{\w+:")


def _complete(operation: dict[str, Any], more: dict[str, str]) -> None:
    """Adds what is true of every operation: it needs a key, and it may answer with a problem."""
    operation.setdefault("security", BEARER)
    operation.setdefault("parameters", []).extend(operation.pop(MORE_PARAMETERS, []))
    answers = operation["responses"]
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, words in (_PROBLEMS | more).items():
        answers[status] = {"description": words, **answers.get(status, {}), "content": problem}
    answers["429"]["headers"] = dict(_WHEN_TO_GO_ON)
    for answer in answers.values():
        answer.setdefault("headers", {})["X-Request-Id"] = {
            "description": "Names the request in events and logs.",
            "schema": {"type": "string"},
        }


def _version() -> str:
    try:
        return version("reviewqueue")
    except PackageNotFoundError:
        return "0"


def limit_body(most: int) -> None:
    """Raises TooLarge for a body over that many bytes, and lets one larger than the app's default in."""
    request.max_content_length = most
    if (request.content_length or 0) > most:
        raise TooLarge(f"The body is larger than the limit of {most} bytes.", limit=most)
