"""What the window and the terminal view show, as values and text; independent of Qt."""
