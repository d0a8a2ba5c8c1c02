"""Listens at a web socket of the chat as a page does, and prints what it receives, one event a line.

Run by the Python of Open WebUI's environment, which has the client: `python web_socket.py ADDRESS COOKIE`, with the
session's token on standard input. The first line is the socket's own number.
"""

import asyncio
import json
import sys

LISTENS_S = 120


async def listen(address: str, cookie: str, token: str) -> None:
    """Print events for a while."""
    import socketio

    client = socketio.AsyncClient(reconnection=False)

    async def told(event: object) -> None:
        print(json.dumps(event), flush=True)

    client.on("events", told)
    await client.connect(
        address,
        headers={"Cookie": cookie},
        auth={"token": token},
        transports=["websocket"],
        socketio_path="/ws/socket.io",
    )
    print(json.dumps(client.get_sid()), flush=True)
    await asyncio.sleep(LISTENS_S)


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1], sys.argv[2], sys.stdin.readline().strip()))
