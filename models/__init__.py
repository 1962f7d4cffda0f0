"""The Mood Reader network: architecture, training, weights, and the estimator that turns tensors into readings."""
