"""The API: how a union app, or our own web page, holds a conversation over HTTP."""
