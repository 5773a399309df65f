"""Laplacians by one pass forwards: values, slopes along all inputs and Laplacians, operation by operation."""

from landform.derivatives.forward.laplacian import forward_laplacian

__all__ = ["forward_laplacian"]
