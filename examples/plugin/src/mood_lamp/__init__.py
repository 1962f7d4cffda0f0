"""A source, a sink and a measure for realtime_mood."""
