"""Every name we use from Connexion, the semi-internal ones included, in one place.

Importing connexion loads Starlette's test client, which warns about the installed httpx; no server should print that.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from connexion.exceptions import ResolverError
    from connexion.http_facts import METHODS
    from connexion.middleware.abstract import AbstractRoutingAPI
    from connexion.resolver import Resolver
    from connexion.security import SecurityHandlerFactory
    from connexion.spec import OpenAPISpecification

__all__ = [
    "METHODS",
    "AbstractRoutingAPI",
    "OpenAPISpecification",
    "Resolver",
    "ResolverError",
    "SecurityHandlerFactory",
]
