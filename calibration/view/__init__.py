"""The calibration window. Importing this package does not import Qt; its module `window` does."""
