"""The API's answers as Python types.

Written by hand for reading; `tests/unit/client/test_models.py` compares every one of them with the answers of the
OpenAPI documents, property by property.
"""
