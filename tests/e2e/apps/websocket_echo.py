"""A WebSocket echo server made with python3-websockets. The text `close CODE REASON` closes from this side; `closed`
asks for the codes with which connections were closed so far. usage: websocket_echo.py PORT"""
import asyncio
import json
import sys

import websockets

close_codes = []


async def echo(socket):
    try:
        async for message in socket:
            if message == "closed":
                await socket.send(json.dumps(close_codes))
            elif isinstance(message, str) and message.startswith("close "):
                _, code, reason = message.split(" ", 2)
                await socket.close(int(code), reason)
            else:
                await socket.send(message)
    except websockets.ConnectionClosedError:
        pass  # any code but 1000 and 1001
    close_codes.append(socket.close_code)


async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), max_size=None, subprotocols=["chat"]):
        await asyncio.Future()


asyncio.run(main())
