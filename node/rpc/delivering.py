"""Sending a large answer: piece by piece, counted until it is taken, and not for ever.

aiohttp writes an answer whole, joined with its headers, and waits for its reader as long as the
connection lives. Here a reader is written to as it reads, so that the answer is in memory once, and
has a time in which to read it.
"""

import asyncio
from typing import Final

from aiohttp import hdrs, web

from node.rpc.bodies import Bodies, ending
from node.rpc.errors import Limited
from node.rpc.http import error_response
from node.rpc.limits import caller

PIECE_BYTES: Final = 1 << 16


def is_large(request: web.BaseRequest, response: web.StreamResponse, small_bytes: int) -> bool:
    """Return whether an answer that is not sent yet has a body of more than so many bytes."""
    return (
        isinstance(response, web.Response)
        and isinstance(response.body, bytes)
        and len(response.body) > small_bytes
        and not response.prepared
        and request.method != hdrs.METH_HEAD
    )


async def deliver(
    request: web.BaseRequest, response: web.StreamResponse, answers: Bodies, *, timeout_ms: int
) -> web.StreamResponse:
    """Send a large answer; return what was sent, or, for want of room, what is to be instead.

    A reader that has not read it within the time, or whose room others need, loses the connection.
    """
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    body, transport = response.body, request.transport
    sent = web.StreamResponse(status=response.status, headers=response.headers)
    sent.content_length = len(body)
    with answers.of(caller(request.remote)) as held:
        try:
            async with asyncio.timeout(timeout_ms / 1000) as timeout:
                held.come(len(body), ending(timeout))
                await sent.prepare(request)
                for start in range(0, len(body), PIECE_BYTES):
                    await sent.write(memoryview(body)[start : start + PIECE_BYTES])
                await sent.write_eof()
        except Limited as error:
            return error_response(error, status=429)
        except TimeoutError:
            if transport is not None:
                transport.abort()
        except ConnectionError:
            pass  # aiohttp finds out by itself, and says nothing of it either
    return sent
