"""Metadata over HTTP: public, without a signature, as Alibaba Cloud's is.

=======================================================================  ==================================
``/meta/v1/products.json``                                               the one product
``/meta/v1/products/cams/versions/2020-06-06/api-docs.json``             all operations, in Alibaba's shape
``/meta/v1/products/cams/versions/2020-06-06/apis/{operation}/api.json``  one operation
``/meta/v1/openapi.json``                                                OpenAPI 3.1
=======================================================================  ==================================

A page names the host that it was asked of, so its ``ETag`` is that of its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from types import ModuleType

import msgspec

from chatgate.errors import PATH_NOT_FOUND, ApiError
from chatgate.protocol import response
from chatgate.web.metadata import alibaba, openapi
from chatgate.web.metadata.alibaba import PRODUCT, VERSION
from chatgate.web.metadata.described import described
from chatgate.wire import HttpRequest, HttpResponse

ROOT = "/meta/v1"

_OF_VERSION = f"{ROOT}/products/{PRODUCT}/versions/{VERSION}"


class Metadata:
    """Answers for the operations of this server."""

    def __init__(self, operations: Mapping[str, ModuleType]) -> None:
        self._operations = described(operations)
        self._apis = {
            f"{_OF_VERSION}/apis/{operation.name}/api.json": alibaba.api(operation) for operation in self._operations
        }

    def answer(self, request: HttpRequest) -> HttpResponse | ApiError:
        """Return the page of a path, or that there is none."""
        page = self._page(request)
        if page is None:
            return ApiError(PATH_NOT_FOUND)
        body = msgspec.json.encode(page)
        etag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
        headers = {"content-type": "application/json;charset=utf-8", "etag": etag, "cache-control": "no-cache"}
        if _is_known(etag, request.headers.get("if-none-match", "")):
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(status=200, headers=headers, body=body)

    def _page(self, request: HttpRequest) -> object:
        host = request.headers.get("host", response.NAMELESS).rpartition("://")[2]
        match request.path:
            case "/meta/v1/products.json":
                return alibaba.products()
            case "/meta/v1/openapi.json":
                return openapi.document(self._operations, f"{'https' if request.secure else 'http'}://{host}")
        if request.path == f"{_OF_VERSION}/api-docs.json":
            return alibaba.api_docs(self._operations, host)
        return self._apis.get(request.path)


def _is_known(etag: str, said: str) -> bool:
    """Whether a caller has the page already (RFC 9110, section 13.1.2)."""
    return said.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in said.split(",")]
