"""A small service desk with runs in every state, and the address of every page that shows it.

What the browser tests visit and what `make screenshots` takes pictures of is one list, made from
the application's own routes: a page that is new is in both by itself, or fails them.
"""
