"""Sharing a network: a folder for colleagues, ONNX, a scikit-learn estimator and a torch module of plain signal."""
