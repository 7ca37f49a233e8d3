"""A WebSocket echo server made with python3-websockets. The text `close CODE REASON` closes from this side; `closed`
asks for the code with which the connection before this one was closed. usage: websocket_echo.py PORT"""
import asyncio
import sys

import websockets

last_close = [0]


async def echo(socket):
    async for message in socket:
        if message == "closed":
            await socket.send(str(last_close[0]))
        elif isinstance(message, str) and message.startswith("close "):
            _, code, reason = message.split(" ", 2)
            await socket.close(int(code), reason)
            return
        else:
            await socket.send(message)
    last_close[0] = socket.close_code


async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), max_size=None, subprotocols=["chat"]):
        await asyncio.Future()


asyncio.run(main())
