"""The composition roots: everything is built here and handed down; nothing below knows how it was put together."""
