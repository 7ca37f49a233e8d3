"""A release of the app of api.py: it says which one it is, and may be a bad one.

RELEASE_NAME     what x-release says
RELEASE_FAILS    one in so many requests fails (0: none)
RELEASE_DELAY    seconds before each answer
Its health path, /healthz, is well in any case: what is wrong with it shows under traffic alone."""
import asyncio
import itertools
import os

import api

NAME = os.environ["RELEASE_NAME"].encode()
FAILS = int(os.environ.get("RELEASE_FAILS", "0"))
DELAY = float(os.environ.get("RELEASE_DELAY", "0"))
asked = itertools.count(1)


async def app(scope, receive, send):
    if scope["type"] != "http":
        return await api.app(scope, receive, send)

    async def named(message):
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"x-release", NAME)]}
        await send(message)

    async def answer(status):
        await named({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await named({"type": "http.response.body", "body": b""})

    if scope["path"] == "/healthz":
        return await answer(200)
    if DELAY:
        await asyncio.sleep(DELAY)
    if FAILS and next(asked) % FAILS == 0:
        return await answer(500)
    await api.app(scope, receive, named)
