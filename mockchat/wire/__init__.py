"""How it travels: HTTP, WebSocket, TLS and host names; the only room that knows aiohttp."""
