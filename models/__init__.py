"""The Mood Reader network: architecture, training, weights, and the one bridge from tensors to readings."""
