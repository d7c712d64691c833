"""The Connexion names we rely on, some of them semi-internal: an upgrade that moves one should fail here first."""

from __future__ import annotations

import inspect

from meet.http import upstream


def test_the_names_and_the_hooks_we_override_exist() -> None:
    api = upstream.AbstractRoutingAPI
    for name in (
        "make_operation",
        "_framework_path_and_name",
        "_add_operation_internal",
        "_handle_add_operation_error",
    ):
        assert callable(getattr(api, name)), name
    assert callable(upstream.OpenAPISpecification._validate_spec)
    assert {"get_fn"} <= set(dir(upstream.SecurityHandlerFactory().security_handlers["apiKey"]))
    assert "security_scheme" in inspect.signature(upstream.SecurityHandlerFactory.parse_security_scheme).parameters
    assert callable(upstream.Resolver.resolve_operation_id)
    assert upstream.ResolverError("why").args == ("why",)
    assert {"get", "post", "head", "options"} <= set(upstream.METHODS)
