"""Faces: what people, Prometheus and browsers see."""
