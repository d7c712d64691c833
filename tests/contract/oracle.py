"""Stock Connexion as the judge of our responses.

`Oracle(app)` is the same application behind Connexion's own routing and response validation, built from the same
documents. Requests reach our compiled endpoints untouched (Connexion's request validation and security are left out);
every response body, media type and required header is checked by Connexion. A response that does not conform raises
Connexion's NonConformingResponse, one with a status its operation does not list raises UndocumentedStatus.

Send canonical paths (declared case, no trailing slash): others are passed on unjudged, and so are HEAD and OPTIONS.
"""

from __future__ import annotations

import warnings
from typing import Any
from unittest.mock import patch

import jsonschema  # type: ignore[import-untyped]

from meet.http import Document, HttpApp, upstream
from meet.http.documents import load
from meet.http.resolver import HandlerResolver, snake_case

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # see meet.http.upstream
    from connexion.middleware import ConnexionMiddleware
    from connexion.middleware.abstract import ROUTING_CONTEXT
    from connexion.middleware.response_validation import ResponseValidationMiddleware
    from connexion.middleware.routing import RoutingMiddleware
    from connexion.validators import VALIDATOR_MAP, JSONResponseBodyValidator


class UndocumentedStatus(AssertionError):
    """The operation answered with a status its document does not list."""


class Judge2020(JSONResponseBodyValidator):  # type: ignore[misc]  # Connexion ships no types
    """Connexion's response check with the JSON Schema dialect of OpenAPI 3.1 instead of Draft 4."""

    @property
    def validator(self) -> Any:
        dialect = jsonschema.Draft202012Validator
        return dialect(self._schema, format_checker=dialect.FORMAT_CHECKER)


class Oracle:
    """ASGI application: `app` with every exchange judged. `judged` counts the exchanges that were."""

    def __init__(self, app: HttpApp) -> None:
        self._app = app
        self.judged = 0
        self._statuses: dict[str, set[str]] = {}
        responses = {**VALIDATOR_MAP["response"], "application/json": Judge2020}
        self._judge = ConnexionMiddleware(
            self._watched,
            import_name=__name__,
            middlewares=[RoutingMiddleware, ResponseValidationMiddleware],
            validate_responses=True,
            validator_map={"response": responses},
            resolver=HandlerResolver(),
        )
        for api in app.apis:
            self._register(api.document)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        judged = scope["type"] == "http" and scope["method"] not in ("HEAD", "OPTIONS")
        await (self._judge if judged else self._app)(scope, receive, send)

    def _register(self, mounted: Document) -> None:
        document = load(mounted.path, mounted.amend).raw
        for item in document["paths"].values():
            for method in upstream.METHODS & item.keys():
                operation = item[method]
                name = f"{operation['x-openapi-router-controller']}.{snake_case(operation['operationId'])}"
                self._statuses[name] = set(operation["responses"])
        for base in dict.fromkeys(mounted.base_paths):
            with patch.object(upstream.OpenAPISpecification, "_validate_spec"):  # it knows 3.0 only
                self._judge.add_api(document, base_path=base, name=f"{mounted.path} at {base}")

    async def _watched(self, scope: Any, receive: Any, send: Any) -> None:
        operation = scope.get("extensions", {}).get(ROUTING_CONTEXT, {}).get("operation_id")
        documented = self._statuses.get(operation)

        async def check(message: Any) -> None:
            if message["type"] == "http.response.start" and documented is not None:
                self.judged += 1
                status = str(message["status"])
                if not documented & {status, f"{status[0]}XX", "default"}:
                    raise UndocumentedStatus(f"{operation} answered {status}")
            await send(message)

        await self._app(scope, receive, check)
