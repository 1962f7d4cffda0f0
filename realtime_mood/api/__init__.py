"""The Python interface: each function of ``import realtime_mood as rm``, in a module named after its subject."""
