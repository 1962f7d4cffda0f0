"""The Python interface: what ``import realtime_mood as rm`` offers, each function in a module named after its subject.

Nothing here is needed to run the program; everything is in reach as ``rm.NAME`` and imported when it is first used.
"""
