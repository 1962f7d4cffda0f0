"""Timing tests for a laboratory: markers over LSL, clocks of two computers, and light or sound against markers.

Each test is a module that measures (`markers`, `clocks`, `onsets`) and a result that ``timing_tests.page`` turns into
rows, a picture and a page. docs/timing.md explains how to do each test, and what its figures mean.
"""
