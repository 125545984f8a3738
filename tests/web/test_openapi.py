"""The description of the API, and the page that shows it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reviewqueue.web import openapi

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def described(client: FlaskClient) -> dict:  # type: ignore[type-arg]
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    document: dict = answer.get_json()  # type: ignore[type-arg]
    return document


def test_it_is_openapi_3_1_with_a_key_for_everything(described: dict) -> None:  # type: ignore[type-arg]
    assert described["openapi"] == "3.1.0"
    assert described["components"]["securitySchemes"] == {"key": {"type": "http", "scheme": "bearer"}}
    for path in described["paths"].values():
        for operation in path.values():
            assert operation["security"] == [{"key": []}]


def test_every_api_route_is_in_it(app: Flask, described: dict) -> None:  # type: ignore[type-arg]
    served = {
        (method.lower(), rule.rule.replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/") and rule.rule != "/api/v1/openapi.json"
    }
    told = {
        (method, path.replace("uuid:", ""))
        for path, operations in described["paths"].items()
        for method in operations.keys() & METHODS
    }
    strip = {(method, path.replace("uuid:", "").replace("int:", "")) for method, path in served}
    assert strip == told
    assert len(told) > 5


def test_every_operation_may_answer_with_a_problem(described: dict) -> None:  # type: ignore[type-arg]
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for status in ("400", "401", "403", "404", "422", "429", "500", "503"):
                content = operation["responses"][status]["content"]
                assert list(content) == ["application/problem+json"], (method, path, status)
                assert content["application/problem+json"]["schema"]["$ref"].endswith("/Problem")


def test_each_operation_names_its_refusals_and_no_other(described: dict) -> None:  # type: ignore[type-arg]
    told = {
        (method, path.replace("uuid:", "").removeprefix("/api/v1")): set(operation["responses"])
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    }
    assert told["post", "/items/{item_id}/decision"] >= {"409", "412", "428"}
    assert "409" in told["post", "/items"] & told["post", "/items/{item_id}/claim"]
    assert {"409", "412", "428", "default"}.isdisjoint(told["get", "/items/{item_id}"])
    assert openapi._MORE_PROBLEMS.keys() <= told.keys()


def test_a_call_too_many_is_told_with_its_headers(described: dict) -> None:  # type: ignore[type-arg]
    headers = described["paths"]["/api/v1/items"]["get"]["responses"]["429"]["headers"]
    assert set(headers) == {"Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"}


def test_the_page_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    assert "swagger-ui-bundle.js" in page
    assert "http://" not in page
    assert "https://" not in page
