"""Asks a page without a network, and keeps its cookies."""

import asyncio

import httpx


class Browser:
    """A browser on the page of an ASGI app; redirects are for the test to follow."""

    def __init__(self, app, base_url: str = "http://127.0.0.1:8470"):
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url)
        self.cookies = self._client.cookies

    def get(self, path, **options):
        return asyncio.run(self._client.get(path, **options))

    def post(self, path, **options):
        return asyncio.run(self._client.post(path, **options))
