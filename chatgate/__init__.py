"""chatgate: an open, self-hosted Chat App Message Service."""
