"""JSON answers by orjson: several times faster than the default, and as strict."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider
from typing_extensions import override

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


class OrjsonProvider(JSONProvider):
    @override
    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj, option=_OPTIONS).decode()

    @override
    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    @override
    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), option=_OPTIONS)
        return Response(body, mimetype="application/json")
