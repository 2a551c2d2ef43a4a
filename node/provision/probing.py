"""Ask a node whether it lives or is ready, with nothing but the standard library."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

TIMEOUT_S: Final = 2.0


async def answers(url: str, path: str) -> bool:
    """Say whether a GET of this path is answered with 200 within two seconds."""
    place = urlsplit(url)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(place.hostname, place.port or 80)
            try:
                head = f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n"
                writer.write(head.encode())
                await writer.drain()
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return False
    return status.split(b" ")[1:2] == [b"200"]
