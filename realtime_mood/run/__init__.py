"""One run: its acquisition and processing threads, and the engine that owns them."""
