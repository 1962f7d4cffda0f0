"""What is shown and in which words, for window and terminal alike; knows no toolkit."""
