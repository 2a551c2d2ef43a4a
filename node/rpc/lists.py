"""`POST /transactions`: a list of signed transactions as MessagePack, and one answer for each."""

import asyncio
from collections.abc import Callable

from aiohttp import hdrs, web

from node.access import Scope
from node.rpc.budget import Budget
from node.rpc.callers import Caller
from node.rpc.doorstep import Refusals
from node.rpc.http import bytes_response, check_type, json_response, read_body
from node.rpc.submissions import (
    MESSAGEPACK_TYPES,
    Submissions,
    busy,
    encode_items,
    readable_items,
)


class Lists:
    """Takes lists, so many at one time."""

    def __init__(
        self,
        submissions: Submissions,
        *,
        refusals: Refusals,
        budget: Budget,
        retry_after_ms: Callable[[], int],
        observe: Callable[[str, str, float], None],
    ) -> None:
        """Store what is given.

        Args:
            refusals: knows when nothing of a list would be taken.
            retry_after_ms: when whoever is turned away may come back.
            observe: is told of each list that was answered.
        """
        self._submissions = submissions
        self._refusals = refusals
        self._budget = budget
        self._retry_after_ms = retry_after_ms
        self._observe = observe
        self._submitting = 0

    async def answer(self, request: web.BaseRequest, asking: Caller) -> web.StreamResponse:
        """Hand in what a list has, and answer what became of each.

        Raises:
            HttpRefusal, RpcError: nothing of the list was taken.
        """
        limits, allowances = self._budget.limits, self._budget.allowances
        asking.needs(Scope.SUBMIT)
        allowances.take_list(asking)
        check_type(request, MESSAGEPACK_TYPES)
        # Before a body is read: a list that nothing is taken of is not even decoded.
        self._refusals.check()
        self._check_submitting()
        began = asyncio.get_running_loop().time()
        with self._budget.held.lists.of(asking.name) as body:
            data = await read_body(
                request,
                max_bytes=limits.submission_max_bytes,
                timeout_ms=limits.body_timeout_ms,
                body=body,
            )
            self._check_submitting()  # who sends slowly has no place meanwhile
            self._submitting += 1
            try:
                raws = self._submissions.decode_list(data)
                allowances.take_transactions(asking, len(raws))
                items = await self._submissions.submit_items(raws)
            finally:
                self._submitting -= 1
        self._observe("transactions", "ok", asyncio.get_running_loop().time() - began)
        if "application/json" in request.headers.get(hdrs.ACCEPT, ""):
            return json_response(readable_items(items))
        return bytes_response(encode_items(items), "application/msgpack")

    def _check_submitting(self) -> None:
        if self._submitting >= self._budget.limits.submissions_at_once_max:
            raise busy(self._retry_after_ms())
