"""The listener for clients: which path is answered by what, and the limits before that.

===================  ==============================================================================
`POST /rpc`          JSON-RPC 2.0, single and batch
`GET /ws`            the same over a WebSocket, and subscriptions
`POST /transactions` a MessagePack list of signed transactions; one answer for each
`GET /livez`         200 while the loop turns: for whoever restarts a hung process
`GET /readyz`        200 while the node can serve and is not behind; `?verbose` lists the checks
`GET /health`        the same as JSON, always 200
`GET /metrics`       Prometheus text
anything else        the pages for people, where there are any (`pages.py`); else 404
===================  ==============================================================================

Nothing here administers the node. A node listens at one address or several, each with a role that
says what is answered there without a key (`callers.py`). Every request is counted against its
caller and answered or refused within a time; a refusal for haste says when to come back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from functools import partial
from typing import Final, TypeAlias

from aiohttp import hdrs, web

from node.access import Keyring, Role, Scope
from node.ledger.parameters import parameter
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, AUCTIONS, name_key
from node.log import Sparing
from node.rpc.bodies import Bodies
from node.rpc.budget import Budget
from node.rpc.callers import (
    CHALLENGE,
    PAYING,
    Beside,
    Bill,
    Caller,
    Gate,
    is_preflight,
    origin_headers,
    preflight_response,
)
from node.rpc.calls import Calls
from node.rpc.delivering import deliver, is_large
from node.rpc.doorstep import Refusals
from node.rpc.errors import Forbidden, InternalError, KeyRefused, Limited, RpcError
from node.rpc.handlers import Handlers
from node.rpc.health import Health
from node.rpc.http import (
    METRICS_TYPE,
    SECURITY_HEADERS,
    HttpRefusal,
    bytes_response,
    check_host,
    check_type,
    error_response,
    is_gone,
    json_response,
    read_body,
    refusal_response,
    retry_headers,
    text_response,
)
from node.rpc.limits import RpcLimits
from node.rpc.listening import Connections, Listening, listen
from node.rpc.lists import Lists
from node.rpc.openrpc import document_of
from node.rpc.pages import Door, MakePages
from node.rpc.places import Places
from node.rpc.renewing import Renewable
from node.rpc.services import RpcServices
from node.rpc.sockets import SOCKET_METHODS
from node.rpc.stream import Feed
from node.rpc.submissions import Submissions
from node.rpc.subscribers import Subscribers
from node.rpc.timeline import feed_of
from node.rpc.views import Views
from node.stages import Shared

JSON_TYPES: Final = frozenset({"application/json", "application/json-rpc"})
SAID_OF_REFUSALS: Final = (hdrs.RETRY_AFTER, hdrs.WWW_AUTHENTICATE)
"""Headers that a refusal keeps when it is told as a page."""

_Handler: TypeAlias = Callable[[web.BaseRequest, Caller], Awaitable[web.StreamResponse]]


class RpcServer:
    """The interface of one node. `start` for each address, `stop` once."""

    def __init__(
        self,
        services: RpcServices,
        *,
        limits: RpcLimits | None = None,
        hosts: Collection[str] = (),
        origins: Collection[str] = (),
        keyring: Keyring | None = None,
        pages: MakePages | None = None,
    ) -> None:
        """Make a server that does not listen yet.

        Args:
            hosts: names under which clients may call besides addresses and `localhost`; `*` any.
            origins: of pages on other hosts that may ask here; none by default.
            keyring: the API keys that are good; None: none is.
            pages: makes what answers all other paths; None: nothing does.
        """
        self._services = services
        self._budget = Budget.of(limits or RpcLimits(), services.clock)
        self._hosts = frozenset(name.lower() for name in hosts)
        self._origins = frozenset(origins)
        self._log = services.log.bind(part="rpc")
        self._keyring = keyring or Keyring(None, clock=services.clock, log=self._log)
        self._views = Views(
            test=services.genesis.test_network,
            decimals_of=self._decimals_of,
            sold_by=self._sold_by,
            offset_minutes=lambda: parameter(LedgerState(services.chain), "utc-offset-minutes"),
        )
        places = Places(services.chain, self._views)
        self._feed = feed_of(services, self._views, places, self._budget.limits)
        self._health = Health(services)
        submissions = Submissions(services, self._views, places, self._budget.limits)
        # One for pages and calls: two threads beside the loop would have most of its time.
        beside = Beside(lambda: services.metrics.stages.cpu_s())
        handlers = Handlers.of(services, self._views, places, submissions, self._health, beside)
        self._calls = Calls(
            handlers.methods(),
            limits=self._budget.limits,
            metrics=services.metrics,
            log=self._log,
        )
        handlers.node.document = document_of((*self._calls.methods, *SOCKET_METHODS))
        self._refusals = Refusals(
            services,
            calls=self._budget.allowances.calls,
            hosts=self._hosts,
            is_read_elsewhere=bool(self._origins),
            body_max_bytes=self._budget.limits.submission_max_bytes,
        )
        lists = Lists(
            submissions,
            refusals=self._refusals,
            budget=self._budget,
            retry_after_ms=services.mempool.retry_after_ms,
            observe=self._calls.observe,
        )
        self._subscribers = Subscribers(
            self._feed,
            self._calls,
            budget=self._budget,
            keyring=self._keyring,
            origins=self._origins,
            parse_account=self._views.parse_address,
            metrics=services.metrics,
        )
        self._routes: dict[str, tuple[str, _Handler]] = {
            "/rpc": (hdrs.METH_POST, self._rpc),
            "/ws": (hdrs.METH_GET, self._subscribers.answer),
            "/transactions": (hdrs.METH_POST, lists.answer),
            "/livez": (hdrs.METH_GET, self._livez),
            "/readyz": (hdrs.METH_GET, self._readyz),
            "/health": (hdrs.METH_GET, self._health_summary),
            "/metrics": (hdrs.METH_GET, self._metrics),
        }
        self._pages = None if pages is None else pages(self._door(handlers, beside))
        self._connections = Connections(self._budget.limits)
        self._listening: list[Listening] = []
        self._sparing = Sparing(self._log)

    def _door(self, handlers: Handlers, beside: Beside) -> Door:
        """Return what the pages read through."""
        return Door(
            services=self._services,
            methods=handlers.node,
            ledger=handlers.ledger,
            auctions=handlers.auctions,
            debt=handlers.debt,
            securities=handlers.securities,
            strips=handlers.strips,
            index=handlers.index,
            views=self._views,
            health=self._health,
            feed=self._feed,
            limits=self._budget.limits,
            beside=beside,
            report=self._calls.report,
            observe=self._calls.observe,
        )

    async def start(
        self,
        host: str,
        port: int,
        *,
        role: Role = Role.OPERATOR,
        tls: Renewable | None = None,
    ) -> int:
        """Listen at one address more; return the port, which the system chooses if it is 0.

        Args:
            role: what is answered there without a key.
            tls: what is shaken hands by; None: nothing is.

        Raises:
            OSError: the address cannot be listened on.
        """
        gate = Gate(role, self._keyring)
        listening = await listen(
            partial(self._serve_charged, gate),
            host,
            port,
            limits=self._budget.limits,
            log=self._log,
            tls=tls,
            connections=self._connections,
            refuse=partial(self._refusals.refuse, gate),
            turned_away=self._note_failed_handshake,
        )
        self._listening.append(listening)
        self._log.info("listening for clients", host=host, port=listening.port, role=role.value)
        return listening.port

    def _note_failed_handshake(self, address: str, reason: str) -> None:
        """Count a client whom TLS turned away, and tell the operator: strangers come, so sparingly.

        One that only connects and hangs up is counted: so do those that look whether we live.
        """
        self._services.metrics.rpc_handshakes_refused.labels(reason=reason).inc()
        if reason != "lost":
            now_s = asyncio.get_running_loop().time()
            self._sparing.info(now_s, "client turned away", address=address, reason=reason)

    @property
    def health(self) -> Health:
        """Whether the node serves and takes part."""
        return self._health

    @property
    def feed(self) -> Feed:
        """The numbered stream of what is committed."""
        return self._feed

    @property
    def bodies(self) -> Bodies:
        """What is held of large requests that are under way."""
        return self._budget.held.requests

    @property
    def answers(self) -> Bodies:
        """What is held of large answers that nobody has read yet."""
        return self._budget.held.answers

    @property
    def port(self) -> int:
        """The port that was listened on first."""
        return self._listening[0].port

    async def stop(self) -> None:
        """Stop listening, tell open sockets that the node goes away, and close."""
        for listening in self._listening:
            listening.close()
        if self._pages is not None:
            self._pages.close()
        await self._subscribers.close()
        for listening in self._listening:
            await listening.end()
        self._listening.clear()

    def _decimals_of(self, asset: str) -> int | None:
        record = self._services.chain.record(ASSETS, name_key(asset))
        return None if record is None else record.decimals

    def _sold_by(self, auction: str) -> str | None:
        record = self._services.chain.record(AUCTIONS, name_key(auction))
        return None if record is None else record.terms.asset

    # One request.

    async def _serve_charged(self, gate: Gate, request: web.BaseRequest) -> web.StreamResponse:
        bill = Bill(self._budget.allowances.owe)
        PAYING.set(bill)
        serve = Shared(self._services.metrics.stages.serve, bill.add)
        return await serve.of(self._serve, gate, request, bill)

    async def _serve(self, gate: Gate, request: web.BaseRequest, bill: Bill) -> web.StreamResponse:
        response = self._shared(request, await self._answer(gate, request, bill))
        if not is_large(request, response, self._budget.limits.body_small_bytes):
            return response
        sent = await deliver(
            request,
            response,
            self._budget.held.answers,
            timeout_ms=self._budget.limits.answer_timeout_ms,
        )
        return self._shared(request, sent)

    def _shared(self, request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
        """Return an answer with what lets pages of other origins read it, if any may."""
        if self._origins and not response.prepared:
            response.headers.update(origin_headers(request, self._origins))
        return response

    async def _answer(self, gate: Gate, request: web.BaseRequest, bill: Bill) -> web.StreamResponse:
        try:
            check_host(request, self._hosts)
            if is_preflight(request, self._origins):
                self._budget.allowances.take_unknown(request.remote)
                return preflight_response()
            asking = self._caller_of(gate, request)
            if self._pages is not None and request.path not in self._routes:
                asking.needs(Scope.READ)
                if request.method == hdrs.METH_POST:
                    asking.needs(Scope.SUBMIT)  # a page that takes a form acts
                self._budget.allowances.take_calls(asking)
                bill.caller = asking
                is_welcome = partial(asking.is_good, self._keyring)
                return await self._pages.answer(request, is_welcome)
            handler = self._route(request)
            if handler in (self._rpc, self._subscribers.answer):
                self._budget.allowances.check_work(asking)  # before a body is read
                bill.caller = asking
            return await handler(request, asking)
        except HttpRefusal as refusal:
            return refusal_response(refusal)
        except Limited as error:
            return self._turn_away(request, error_response(error, status=429))
        except KeyRefused as error:
            refused = error_response(error, status=401, headers=CHALLENGE)
            return self._turn_away(request, refused)
        except Forbidden as error:
            return self._turn_away(request, error_response(error, status=403))
        except RpcError as error:
            return error_response(error, status=400)
        except web.HTTPException as error:
            # Only a WebSocket handshake raises these; its text may repeat headers.
            return refusal_response(HttpRefusal(error.status, "not a WebSocket handshake"))
        except Exception as error:
            if isinstance(error, ConnectionError) and is_gone(request):
                return web.Response(status=400)  # read by nobody; no fault of ours
            return error_response(
                InternalError(self._calls.report(request.path, error)), status=500
            )

    def _turn_away(self, request: web.BaseRequest, refused: web.Response) -> web.Response:
        """Return a refusal as a page where a browser asked for one, and as it is elsewhere."""
        if self._pages is None or request.path in self._routes:
            return refused
        kept = {
            str(name): refused.headers[name] for name in SAID_OF_REFUSALS if name in refused.headers
        }
        return self._pages.turn_away(request, refused.status, kept) or refused

    def _caller_of(self, gate: Gate, request: web.BaseRequest) -> Caller:
        try:
            return gate.caller_of(request)
        except KeyRefused:
            self._budget.allowances.take_unknown(
                request.remote
            )  # whoever tries keys is counted too
            raise

    def _route(self, request: web.BaseRequest) -> _Handler:
        route = self._routes.get(request.path)
        if route is None:
            raise HttpRefusal(404, f"there is nothing here; known are {', '.join(self._routes)}")
        method, handler = route
        if request.method != method and (request.method, method) != ("HEAD", "GET"):
            raise HttpRefusal(405, f"only {method} is answered", headers={hdrs.ALLOW: method})
        return handler

    async def _rpc(self, request: web.BaseRequest, asking: Caller) -> web.StreamResponse:
        dispatcher = self._calls.dispatcher_for(asking.scopes)
        check_type(request, JSON_TYPES)
        try:
            with self._budget.held.requests.of(asking.name) as body:
                # No name holds the body while a call in it waits for something.
                begun = dispatcher.begin(
                    await read_body(
                        request,
                        max_bytes=self._budget.limits.body_max_bytes,
                        timeout_ms=self._budget.limits.body_timeout_ms,
                        body=body,
                    ),
                    charge=partial(self._budget.allowances.take_calls, asking),
                )
                answer = await begun if isinstance(begun, Coroutine) else begun
        except Limited as error:
            return bytes_response(
                dispatcher.failure(None, error),
                "application/json",
                status=429,
                headers=retry_headers(error),
            )
        if answer is None:
            return web.Response(status=204, headers=SECURITY_HEADERS)
        return bytes_response(answer, "application/json")

    async def _livez(self, _request: web.BaseRequest, _asking: Caller) -> web.StreamResponse:
        return text_response("ok\n")

    async def _readyz(self, request: web.BaseRequest, _asking: Caller) -> web.StreamResponse:
        checks = self._health.checks()
        ready = all(check.passed for check in checks)
        text = "ready\n" if ready else "not ready\n"
        if "verbose" in request.query:
            text = "".join(f"{check}\n" for check in checks) + text
        return text_response(text, status=200 if ready else 503)

    async def _health_summary(
        self, _request: web.BaseRequest, _asking: Caller
    ) -> web.StreamResponse:
        return json_response(self._health.summary())

    async def _metrics(self, _request: web.BaseRequest, asking: Caller) -> web.StreamResponse:
        asking.needs(Scope.OPERATE)
        return bytes_response(self._services.metrics.render(), METRICS_TYPE)
