"""The soak: the whole program broken at random for minutes, then audited from outside (docs/soak.md)."""
