"""A published study as data: schema, printed numbers, claims, loading. No pandas, no PyMC."""
