"""One run: the threads that acquire and process, and the engine that owns them."""
