"""Everything that is not on the hot path: models, readiness, metrics, documentation, preflights.

FastAPI serves these. The routed endpoints are described here and served by the data plane before
FastAPI sees them. Whatever goes wrong leaves in OpenAI's envelope. Figures and documentation are
for this machine only, unless opened: they tell what is called, how often and at what price.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastapi import Depends, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from gateway import __version__
from gateway.access.permissions import usable
from gateway.catalog import Catalog, Model, Tier
from gateway.errors import (
    CallerError,
    GatewayError,
    InternalError,
    InvalidValue,
    MethodNotAllowed,
    ModelNotFound,
    NotFound,
    PermissionDenied,
)
from gateway.http import openapi, ui
from gateway.http.admin import Admin, router as admin_keys
from gateway.http.admin_decisions import Watching, router as admin_decisions
from gateway.http.admin_spend import router as admin_spend
from gateway.http.asked import ROUTED
from gateway.http.head import EXPOSED
from gateway.http.near import is_loopback
from gateway.principal import Principal
from gateway.wire.envelope import envelope

AUTO_NAMES = ("auto", "auto:floor", "auto:nitro")
POST_ONLY = frozenset(path.decode() for path in ROUTED)
OWNER = "tiergate"
SERVED = (
    "This gateway serves /v1/chat/completions, /v1/responses, /v1/messages, /v1/models and "
    "/v1/route."
)
# Whoever comes through a proxy on this machine is not on this machine.
FORWARDED = ("forwarded", "x-forwarded-for")


Admit = Callable[[Mapping[bytes, bytes], bool], Awaitable[Principal]]
"""Who calls, by a request's fields and whether it comes from this machine; else a refusal."""


class Ready(NamedTuple):
    """Why calls should not be sent here (empty: they should), and what is amiss with the store."""

    reason: str = ""
    store: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What the pages show: the catalog, the metrics page, readiness.

    `render` gives the metrics for an `Accept` value (in a thread), `media_type` their type;
    `ready` says whether calls should come; `made` is when the models list began, epoch seconds;
    `open_operations` shows metrics and documentation to other machines too; `admin` is what the
    admin API and the page stand on (None: there are none), `watching` what the decisions do;
    `admit` says who calls (None: nobody asks); `simulated` labels the page.
    """

    catalog: Catalog
    render: Callable[[str], bytes]
    media_type: Callable[[str], str]
    ready: Callable[[], Awaitable[Ready]]
    make_id: Callable[[], str]
    made: int
    cors_origins: Sequence[str] = ()
    open_operations: bool = False
    admin: Admin | None = None
    admit: Admit | None = None
    watching: Watching | None = None
    simulated: bool = False


def create(page: Page) -> FastAPI:
    """The application for everything but the routed endpoints."""
    app = FastAPI(
        title="Tiergate",
        version=__version__,
        description="An OpenAI-compatible gateway that answers every call with the smallest "
        "model that is good enough.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    _errors(app, page)
    _models(app, page)
    _probes(app, page)
    _operations(app, page)
    if page.admin is not None:
        app.include_router(admin_keys(page.admin, from_this_machine))
        app.include_router(admin_spend(page.admin, from_this_machine))
        if page.watching is not None:
            app.include_router(admin_decisions(page.admin, from_this_machine, page.watching))
            shown = ui.Shown(page.catalog, page.simulated, page.render, page.watching.decisions)
            app.include_router(ui.figures(page.admin, from_this_machine, shown))
            app.include_router(ui.router(page.admin, from_this_machine))
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]  # FastAPI's own hook
    if page.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(page.cors_origins),
            allow_methods=["GET", "POST", "OPTIONS"],
            allow_headers=["*"],
            expose_headers=EXPOSED.split(","),
            max_age=600,
        )
    return app


def _models(app: FastAPI, page: Page) -> None:
    async def shown(request: Request) -> dict[str, dict[str, Any]]:
        """What the caller's key may use."""
        known = _known(page)
        if page.admit is None:
            return known
        near = request.client is None or is_loopback(request.client.host)
        principal = await page.admit(dict(request.headers.raw), near)
        if principal.tiers is None and principal.models is None:
            return known
        names = usable(principal, page.catalog)
        return {n: e for n, e in known.items() if n in names or (names and n in AUTO_NAMES)}

    @app.get("/v1/models", tags=["models"])
    @app.get("/models", include_in_schema=False)
    async def list_models(request: Request) -> JSONResponse:
        """List what the caller may name: the auto names, the tiers and the models behind them."""
        return JSONResponse({"object": "list", "data": list((await shown(request)).values())})

    @app.get("/v1/models/{name:path}", tags=["models"])
    @app.get("/models/{name:path}", include_in_schema=False)
    async def one_model(name: str, request: Request) -> JSONResponse:
        """Describe one of them."""
        found = (await shown(request)).get(name)
        if found is None:
            message = f"The model `{name[:120]}` does not exist or you do not have access to it."
            raise ModelNotFound(message, param="model")
        return JSONResponse(found)


def _known(page: Page) -> dict[str, dict[str, Any]]:
    catalog = page.catalog
    shown: dict[str, dict[str, Any]] = {}
    for name in AUTO_NAMES:
        shown[name] = _entry(name, page, OWNER, None)
    for tier in sorted(catalog.tiers):
        shown[tier.label] = _entry(tier.label, page, OWNER, catalog.models_by_tier[tier])
    for tier, model in catalog.models():
        shown[model.name] = _entry(model.name, page, "upstream", model, tier)
    return shown


def _entry(
    name: str, page: Page, owner: str, model: Model | None, tier: Tier | None = None
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": name,
        "object": "model",
        "created": page.made,
        "owned_by": owner,
    }
    if model is not None:
        entry["shutdown_date"] = model.shutdown.isoformat() if model.shutdown else None
        entry["context_window"] = model.context_window
        entry["max_output_tokens"] = model.max_output
        if tier is None:
            entry["model"] = model.name
        else:
            entry["tier"] = tier.label
    return entry


def _probes(app: FastAPI, page: Page) -> None:
    @app.get("/healthz", tags=["operations"])
    @app.head("/healthz", include_in_schema=False)
    async def health() -> JSONResponse:
        """Say that the process lives; answered before any other work."""
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", tags=["operations"])
    @app.head("/readyz", include_in_schema=False)
    async def ready() -> JSONResponse:
        """Say whether calls should be sent here."""
        reason, store = await page.ready()
        said = {"store": store} if store else {}
        if reason:
            return JSONResponse({"status": "not ready", "reason": reason, **said}, status_code=503)
        return JSONResponse({"status": "ready", **said})


def _operations(app: FastAPI, page: Page) -> None:
    guard = [] if page.open_operations else [Depends(from_this_machine)]

    @app.get("/metrics", tags=["operations"], dependencies=guard)
    async def metrics(request: Request) -> Response:
        """Show the Prometheus metrics."""
        accept = request.headers.get("accept", "")
        body = await run_in_threadpool(page.render, accept)
        return Response(body, media_type=page.media_type(accept))

    @app.get("/openapi.json", tags=["operations"], dependencies=guard)
    async def description() -> JSONResponse:
        """Show this document."""
        return JSONResponse(app.openapi())

    @app.get("/docs", tags=["operations"], dependencies=guard)
    async def docs() -> HTMLResponse:
        """Show this document for people."""
        return get_swagger_ui_html(openapi_url="/openapi.json", title=app.title)


async def from_this_machine(request: Request) -> None:
    """Let a request pass that comes from a loopback address, or through a socket of this machine.

    Raises:
        PermissionDenied: it comes from elsewhere.
    """
    forwarded = any(name in request.headers for name in FORWARDED)
    if forwarded or (request.client is not None and not is_loopback(request.client.host)):
        message = "This page is shown to the gateway's own machine only."
        raise PermissionDenied(message)


def _errors(app: FastAPI, page: Page) -> None:
    def reply(
        error: GatewayError, status: int | None = None, extra: Mapping[str, str] | None = None
    ) -> Response:
        headers = {"x-request-id": page.make_id(), **(extra or {})}
        return Response(envelope(error), status or error.status, headers, "application/json")

    @app.exception_handler(GatewayError)
    async def ours(_request: Request, error: GatewayError) -> Response:
        return reply(error)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        where = f"{request.method} {request.url.path[:200]}"
        if error.status_code == 405 or request.url.path in POST_ONLY:
            allowed = error.headers or {"allow": "POST"}
            return reply(MethodNotAllowed(f"Not allowed to {where}."), extra=allowed)
        if error.status_code == 404:
            return reply(NotFound(f"Invalid URL ({where}). {SERVED}"))
        return reply(CallerError(str(error.detail)), error.status_code)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        param = str(first["loc"][-1])
        return reply(InvalidValue(f"{param}: {first['msg']}", param=param), 422)

    @app.exception_handler(Exception)
    async def defect(_request: Request, _error: Exception) -> Response:
        return reply(InternalError("Something went wrong in the gateway."))
