"""Payments: orders, holds, refunds, and the order of writes that keeps money right."""
