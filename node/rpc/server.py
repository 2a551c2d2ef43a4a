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
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine
from functools import partial
from typing import Any, Final, TypeAlias

from aiohttp import hdrs, web

from node.access import LOOK_AGAIN_S, Keyring, Role, Scope
from node.ledger.parameters import parameter
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, AUCTIONS, name_key
from node.log import Sparing
from node.rpc.allowances import Allowances
from node.rpc.bodies import Bodies, LargeBodies
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
    check_origin,
    check_type,
    error_response,
    is_gone,
    json_response,
    read_body,
    refusal_response,
    retry_headers,
    text_response,
)
from node.rpc.inbox import CallSocket
from node.rpc.jsonrpc import Dispatcher, Method, methods_of
from node.rpc.limits import RpcLimits, caller
from node.rpc.listening import STOP_SECONDS, Connections, Listening, listen
from node.rpc.openrpc import document_of
from node.rpc.pages import Door, MakePages, Pages
from node.rpc.places import Places
from node.rpc.renewing import Renewable
from node.rpc.services import RpcServices
from node.rpc.sockets import SOCKET_METHODS, WRITE_LIMIT_NONE, SocketSession
from node.rpc.stream import Feed
from node.rpc.submissions import (
    MESSAGEPACK_TYPES,
    Submissions,
    busy,
    encode_items,
    readable_items,
)
from node.rpc.timeline import feed_of
from node.rpc.views import Views
from node.stages import Shared

JSON_TYPES: Final = frozenset({"application/json", "application/json-rpc"})
SAID_OF_REFUSALS: Final = (hdrs.RETRY_AFTER, hdrs.WWW_AUTHENTICATE)
"""Headers that a refusal keeps when it is told as a page."""
SOCKET_PING_SECONDS: Final = 30.0
"""A socket whose other end is gone is found out within one and a half of these."""

_Took: TypeAlias = Callable[[float], None]
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
        self._limits = limits or RpcLimits()
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
        self._feed = feed_of(services, self._views, places, self._limits)
        self._health = Health(services)
        self._allowances = Allowances(self._limits, services.clock)
        self._held = LargeBodies.within(self._limits, services.clock.monotonic)
        self._refusals = Refusals(
            services,
            calls=self._allowances.calls,
            hosts=self._hosts,
            is_read_elsewhere=bool(self._origins),
            body_max_bytes=self._limits.submission_max_bytes,
        )
        self._submissions = Submissions(services, self._views, places, self._limits)
        self._submitting = 0
        # One for pages and calls: two threads beside the loop would have most of its time.
        beside = Beside(lambda: services.metrics.stages.cpu_s())
        handlers = Handlers.of(
            services, self._views, places, self._submissions, self._health, beside
        )
        self._methods = handlers.methods()
        handlers.node.document = document_of((*self._methods, *SOCKET_METHODS))
        self._dispatchers: dict[frozenset[Scope], Dispatcher] = {}
        self._routes: dict[str, tuple[str, _Handler]] = {
            "/rpc": (hdrs.METH_POST, self._rpc),
            "/ws": (hdrs.METH_GET, self._socket),
            "/transactions": (hdrs.METH_POST, self._transactions),
            "/livez": (hdrs.METH_GET, self._livez),
            "/readyz": (hdrs.METH_GET, self._readyz),
            "/health": (hdrs.METH_GET, self._health_summary),
            "/metrics": (hdrs.METH_GET, self._metrics),
        }
        # Methods and codes are few, and looking up a label costs more than counting.
        self._observed: dict[tuple[str, str], tuple[Callable[[], None], _Took]] = {}
        self._pages: Pages | None = None
        if pages is not None:
            self._pages = pages(
                Door(
                    services=services,
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
                    limits=self._limits,
                    beside=beside,
                    report=self._report,
                    observe=self._observe,
                )
            )
        self._sessions: set[SocketSession] = set()
        self._subscribers: Counter[str] = Counter()
        self._connections = Connections(self._limits)
        self._listening: list[Listening] = []
        self._sparing = Sparing(self._log)

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
            limits=self._limits,
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
        return self._held.requests

    @property
    def answers(self) -> Bodies:
        """What is held of large answers that nobody has read yet."""
        return self._held.answers

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
        async with asyncio.TaskGroup() as group:
            for session in tuple(self._sessions):
                group.create_task(session.close(), name="rpc-socket-close")
        for listening in self._listening:
            await listening.end()
        self._listening.clear()

    async def _end_when_unwelcome(self, session: SocketSession, asking: Caller) -> None:
        """End a socket once the key that opened it is revoked or expires."""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            if not asking.is_good(self._keyring):
                break
        await session.turn_away("the API key is no longer good")

    def _dispatcher_for(self, scopes: frozenset[Scope]) -> Dispatcher:
        """Return the table as callers with these scopes may use it: there are few kinds."""
        found = self._dispatchers.get(scopes)
        if found is None:
            found = self._dispatchers[scopes] = self._make_dispatcher(
                self._methods,
                scopes,
                elsewhere={"khz_subscribe": "/ws", "khz_unsubscribe": "/ws"},
            )
        return found

    def _make_dispatcher(
        self,
        methods: tuple[Method[Any], ...],
        scopes: frozenset[Scope],
        *,
        elsewhere: dict[str, str] | None = None,
    ) -> Dispatcher:
        return Dispatcher(
            methods,
            report=self._report,
            observe=self._observe,
            elsewhere=elsewhere,
            batch_max=self._limits.batch_max,
            scopes=scopes,
            # Of this loop, which is asked once: each time would be a call of the system.
            now_s=asyncio.get_running_loop().time,
            answer_bytes_max=self._limits.answer_max_bytes,
        )

    def _decimals_of(self, asset: str) -> int | None:
        record = self._services.chain.record(ASSETS, name_key(asset))
        return None if record is None else record.decimals

    def _sold_by(self, auction: str) -> str | None:
        record = self._services.chain.record(AUCTIONS, name_key(auction))
        return None if record is None else record.terms.asset

    def _report(self, name: str, error: BaseException) -> str:
        trace_id = secrets.token_hex(8)
        self._log.error("request failed", method=name, trace_id=trace_id, exc_info=error)
        return trace_id

    def _observe(self, name: str, result: str, seconds: float) -> None:
        found = self._observed.get((name, result))
        if found is None:
            metrics = self._services.metrics
            found = self._observed[name, result] = (
                metrics.rpc_requests.labels(method=name, result=result).inc,
                metrics.rpc_seconds.labels(method=name).observe,
            )
        count, took = found
        count()
        took(seconds)

    def _count_lagging(self) -> None:
        labels = {"method": "khz_subscription", "result": "lagged"}
        self._services.metrics.rpc_requests.labels(**labels).inc()

    # One request.

    async def _serve_charged(self, gate: Gate, request: web.BaseRequest) -> web.StreamResponse:
        bill = Bill(self._allowances.owe)
        PAYING.set(bill)
        serve = Shared(self._services.metrics.stages.serve, bill.add)
        return await serve.of(self._serve, gate, request, bill)

    async def _serve(self, gate: Gate, request: web.BaseRequest, bill: Bill) -> web.StreamResponse:
        response = self._shared(request, await self._answer(gate, request, bill))
        if not is_large(request, response, self._limits.body_small_bytes):
            return response
        sent = await deliver(
            request, response, self._held.answers, timeout_ms=self._limits.answer_timeout_ms
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
                self._allowances.take_unknown(request.remote)
                return preflight_response()
            asking = self._caller_of(gate, request)
            if self._pages is not None and request.path not in self._routes:
                asking.needs(Scope.READ)
                if request.method == hdrs.METH_POST:
                    asking.needs(Scope.SUBMIT)  # a page that takes a form acts
                self._allowances.take_calls(asking)
                bill.caller = asking
                is_welcome = partial(asking.is_good, self._keyring)
                return await self._pages.answer(request, is_welcome)
            handler = self._route(request)
            if handler in (self._rpc, self._socket):
                self._allowances.check_work(asking)  # before a body is read
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
            return error_response(InternalError(self._report(request.path, error)), status=500)

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
            self._allowances.take_unknown(request.remote)  # whoever tries keys is counted too
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
        dispatcher = self._dispatcher_for(asking.scopes)
        check_type(request, JSON_TYPES)
        try:
            with self._held.requests.of(asking.name) as body:
                # No name holds the body while a call in it waits for something.
                begun = dispatcher.begin(
                    await read_body(
                        request,
                        max_bytes=self._limits.body_max_bytes,
                        timeout_ms=self._limits.body_timeout_ms,
                        body=body,
                    ),
                    charge=partial(self._allowances.take_calls, asking),
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

    async def _transactions(self, request: web.BaseRequest, asking: Caller) -> web.StreamResponse:
        asking.needs(Scope.SUBMIT)
        self._allowances.take_list(asking)
        check_type(request, MESSAGEPACK_TYPES)
        # Before a body is read: a list that nothing is taken of is not even decoded.
        self._refusals.check()
        self._check_submitting()
        began = asyncio.get_running_loop().time()
        with self._held.lists.of(asking.name) as body:
            data = await read_body(
                request,
                max_bytes=self._limits.submission_max_bytes,
                timeout_ms=self._limits.body_timeout_ms,
                body=body,
            )
            self._check_submitting()  # who sends slowly has no place meanwhile
            self._submitting += 1
            try:
                raws = self._submissions.decode_list(data)
                self._allowances.take_transactions(asking, len(raws))
                items = await self._submissions.submit_items(raws)
            finally:
                self._submitting -= 1
        self._observe("transactions", "ok", asyncio.get_running_loop().time() - began)
        if "application/json" in request.headers.get(hdrs.ACCEPT, ""):
            return json_response(readable_items(items))
        return bytes_response(encode_items(items), "application/msgpack")

    def _check_submitting(self) -> None:
        if self._submitting >= self._limits.submissions_at_once_max:
            raise busy(self._services.mempool.retry_after_ms())

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

    async def _socket(self, request: web.BaseRequest, asking: Caller) -> web.StreamResponse:
        # Where a socket comes from bounds how many there are, whatever key it shows.
        address = caller(request.remote)
        check_origin(request, self._origins)
        asking.needs(Scope.READ)
        self._allowances.take_calls(asking)
        if (
            len(self._sessions) >= self._limits.subscribers_max
            or self._subscribers[address] >= self._limits.subscribers_per_address_max
        ):
            raise Limited(
                "this node has as many subscribers as it can serve; try another node",
                retry_after_ms=self._limits.heartbeat_ms,
            )
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("gone before it was answered")
        socket = CallSocket(
            timeout=STOP_SECONDS,
            autoping=False,  # answered by the session, which waits for room
            heartbeat=SOCKET_PING_SECONDS,
            compress=False,
            max_msg_size=self._limits.body_max_bytes,
            writer_limit=WRITE_LIMIT_NONE,
        )
        socket.headers.update(SECURITY_HEADERS)
        await socket.prepare(request)
        session = SocketSession(
            socket,
            transport,
            self._feed,
            self._limits,
            parse_account=self._views.parse_address,
            charge=partial(self._allowances.take_calls, asking),
            requests=partial(self._held.requests.of, asking.name),
            answers=partial(self._held.answers.of, address),
            count_lagging=self._count_lagging,
            stage=self._services.metrics.stages.serve,
            calling=Shared(
                self._services.metrics.stages.serve, partial(self._allowances.owe, asking)
            ),
        )
        self._sessions.add(session)
        self._subscribers[address] += 1
        self._services.metrics.subscribers.set(len(self._sessions))
        try:
            methods = (*self._methods, *methods_of(session))
            async with asyncio.TaskGroup() as group:
                leaving = (
                    None
                    if asking.key is None
                    else group.create_task(
                        self._end_when_unwelcome(session, asking), name="rpc-socket-key"
                    )
                )
                await session.serve(self._make_dispatcher(methods, asking.scopes))
                if leaving is not None:
                    leaving.cancel()
        except* Exception as errors:
            # The socket is open: there is no other answer than to end it.
            self._report(request.path, errors)
        finally:
            self._sessions.discard(session)
            self._subscribers[address] -= 1
            self._subscribers += Counter()  # forget the addresses that have none
            self._services.metrics.subscribers.set(len(self._sessions))
        return socket
